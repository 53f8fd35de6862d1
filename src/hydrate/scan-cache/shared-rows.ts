import type { HydratedRows } from '../hydrator.ts';

/** Rows that several statements read, and that go with the last of them. */
export class SharedRows {
  readonly #rows: HydratedRows;
  #leases = 0;

  constructor(rows: HydratedRows) {
    this.#rows = rows;
  }

  lease(): HydratedRows {
    this.#leases += 1;
    let isHeld = true;
    const release = async (): Promise<void> => {
      if (!isHeld) return;
      isHeld = false;
      this.#leases -= 1;
      if (this.#leases === 0) await this.#rows.release();
    };
    return { ...this.#rows, release };
  }
}
