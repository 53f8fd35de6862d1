import type { FilteredLogEvent } from '../clients/logs.ts';

/** Many more would outlive the young generation, of which V8 collects what is garbage only when the process has grown. */
const REMEMBERED_IDS = 1_000;

/** Each event of a range once: told by its id. */
export class EventsOnce {
  readonly #before: ReadonlySet<string> | undefined;
  #recent = new Set<string>();
  #older: ReadonlySet<string> = new Set();
  #delivered: Set<string> | undefined;

  /** @param before ids of those that came before the range was read in the way that it is */
  constructor(before: ReadonlySet<string> | undefined) {
    this.#before = before;
    this.#delivered = new Set(before);
  }

  /** Ids of all that came, those before among them; undefined once they are forgotten. */
  get delivered(): ReadonlySet<string> | undefined {
    return this.#delivered;
  }

  /** The range will be read to its end as it is: only where one page ends and the next begins may an event be repeated. */
  forget(): void {
    this.#delivered = undefined;
  }

  isNew({ eventId }: FilteredLogEvent): boolean {
    if (eventId === undefined) return true;
    if (this.#recent.has(eventId) || this.#older.has(eventId) || this.#before?.has(eventId) === true) return false;
    this.#delivered?.add(eventId);
    this.#recent.add(eventId);
    if (this.#recent.size >= REMEMBERED_IDS) {
      this.#older = this.#recent;
      this.#recent = new Set();
    }
    return true;
  }
}
