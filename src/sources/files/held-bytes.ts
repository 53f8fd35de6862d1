/** Parts of what is not at its end yet; given up where they grow beyond what a caller takes. */
export class HeldBytes {
  #parts: Buffer[] = [];
  #length = 0;
  #oversized = false;

  /** More was to be held than was allowed: `take` gives nothing of it. */
  get oversized(): boolean {
    return this.#oversized;
  }

  hold(bytes: Buffer, most: number): void {
    this.#length += bytes.length;
    if (this.#length > most) this.#parts = [];
    else if (bytes.length > 0) this.#parts.push(bytes);
    this.#oversized = this.#length > most;
  }

  /** All of it; nothing is held then. */
  take(): Buffer {
    const [first, ...others] = this.#parts;
    const bytes = first !== undefined && others.length === 0 ? first : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#length = 0;
    this.#oversized = false;
    return bytes;
  }
}
