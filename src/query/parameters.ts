import type { Parameter } from './backend.ts';

/** pg_type's oid of text[]. */
const TEXT_ARRAY = 1009;
const TEXT = 25;

/** The parameters of a statement: the client's own first, ours behind them. */
export class ParameterList {
  readonly #types: number[];
  readonly #values: Parameter[];

  constructor(types: readonly number[], values: readonly Parameter[]) {
    this.#types = [...types];
    this.#values = [...values];
  }

  get types(): readonly number[] {
    return this.#types;
  }

  get values(): readonly Parameter[] {
    return this.#values;
  }

  /** @returns the SQL that stands for it: `$3` */
  addTextArray(elements: readonly (string | null)[]): string {
    return this.#add(TEXT_ARRAY, encodeTextArray(elements));
  }

  addText(value: string): string {
    return this.#add(TEXT, Buffer.from(value));
  }

  #add(type: number, value: Buffer): string {
    this.#types.push(type);
    this.#values.push({ format: 1, value });
    // Bind counts its parameters in 16 bits.
    if (this.#types.length > 65_535) throw new RangeError('more than 65,535 parameters');
    return `$${String(this.#types.length)}`;
  }
}

/** array_recv()'s format: dimensions, has-nulls, element type, then (length, lower bound), then the elements. */
function encodeTextArray(elements: readonly (string | null)[]): Buffer {
  const bodies = elements.map((element) => (element === null ? null : Buffer.from(element)));
  const dimensions = elements.length === 0 ? 0 : 1;
  const size = bodies.reduce((sum, body) => sum + 4 + (body?.length ?? 0), 12 + 8 * dimensions);
  const buffer = Buffer.allocUnsafe(size);
  let at = 0;
  const int32 = (value: number): void => {
    at = buffer.writeInt32BE(value, at);
  };
  int32(dimensions);
  int32(bodies.includes(null) ? 1 : 0);
  int32(TEXT);
  if (dimensions === 1) {
    int32(elements.length);
    int32(1);
  }
  for (const body of bodies) {
    int32(body?.length ?? -1);
    if (body !== null) at += body.copy(buffer, at);
  }
  return buffer;
}
