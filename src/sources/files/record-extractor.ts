import { COMMA, END_OF_OBJECT, OBJECT, QUOTE } from './json-bytes.ts';
import { afterColon, afterSpaces, plainEnd, valueEnd } from './json-value.ts';

/** A name that a path goes through. */
interface Step {
  readonly name: Buffer;
  /** Of a path that ends here, its number; -1: none does. */
  leaf: number;
  readonly steps: Steps;
  /** An object with such a name is no record, or not the one that counts. */
  readonly refused: boolean;
  /** For the record that was extracted last. */
  seenIn: number;
}

/** By the length of their names. */
type Steps = Step[][];

/** Names at the first level of what is put around records. */
const ENVELOPES = ['detail-type', 'CloudTrailEvent', 'Records', 'Events'];

/**
 * Finds the values at some paths of a record in its bytes, without making anything of the rest. It gives up where the bytes
 * alone do not say what JSON.parse would: at an escape in a name or a value that is looked for, at a name that comes twice, at
 * what is no JSON. `test/` and `record-extractor.test.ts` hold it against JSON.parse.
 */
export class RecordExtractor {
  /** By path: where the value begins; -1: there is none. */
  readonly starts: Int32Array;
  /** Behind it. */
  readonly ends: Int32Array;
  readonly #steps: Steps = [];
  #record = 0;

  constructor(paths: readonly (readonly string[])[]) {
    this.starts = new Int32Array(paths.length);
    this.ends = new Int32Array(paths.length);
    for (const name of ENVELOPES) stepTo(this.#steps, name, true);
    for (const [leaf, path] of paths.entries()) {
      let steps = this.#steps;
      for (const [depth, name] of path.entries()) {
        const step = stepTo(steps, name, false);
        if (depth === path.length - 1) step.leaf = leaf;
        steps = step.steps;
      }
    }
  }

  /** Behind the object that begins at `at`; -1: it is to be parsed. Bytes that are no UTF-8 are not looked for. */
  extract(bytes: Uint8Array, at: number): number {
    this.#record += 1;
    this.starts.fill(-1);
    this.ends.fill(-1);
    return at < bytes.length && bytes[at] === OBJECT ? this.#object(bytes, at + 1, this.#steps) : -1;
  }

  #object(bytes: Uint8Array, from: number, steps: Steps): number {
    const { length } = bytes;
    let at = afterSpaces(bytes, from);
    if (at < length && bytes[at] === END_OF_OBJECT) return at + 1;
    for (;;) {
      if (at >= length || bytes[at] !== QUOTE) return -1;
      const name = at + 1;
      const end = plainEnd(bytes, name);
      if (end < 0) return -1;
      at = afterColon(bytes, end);
      if (at < 0) return -1;
      const step = find(steps, bytes, name, end);
      at = step === undefined ? valueEnd(bytes, at) : this.#value(bytes, at, step);
      if (at < 0) return -1;
      at = afterSpaces(bytes, at);
      if (at >= length) return -1;
      if (bytes[at] === END_OF_OBJECT) return at + 1;
      if (bytes[at] !== COMMA) return -1;
      at = afterSpaces(bytes, at + 1);
    }
  }

  #value(bytes: Uint8Array, at: number, step: Step): number {
    if (step.refused || step.seenIn === this.#record) return -1;
    step.seenIn = this.#record;
    const end =
      step.steps.length > 0 && at < bytes.length && bytes[at] === OBJECT
        ? this.#object(bytes, at + 1, step.steps)
        : valueEnd(bytes, at);
    if (step.leaf >= 0 && end >= 0) {
      this.starts[step.leaf] = at;
      this.ends[step.leaf] = end;
    }
    return end;
  }
}

function stepTo(steps: Steps, text: string, refused: boolean): Step {
  const name = Buffer.from(text);
  const others = (steps[name.length] ??= []);
  let step = others.find((other) => other.name.equals(name));
  if (step === undefined) others.push((step = { name, leaf: -1, steps: [], refused, seenIn: 0 }));
  return step;
}

function find(steps: Steps, bytes: Uint8Array, from: number, to: number): Step | undefined {
  const length = to - from;
  const others = length < steps.length ? steps[length] : undefined;
  if (others === undefined) return undefined;
  for (const step of others) if (isNamed(bytes, from, step.name)) return step;
  return undefined;
}

function isNamed(bytes: Uint8Array, from: number, name: Uint8Array): boolean {
  for (let index = 0; index < name.length; index += 1) if (bytes[from + index] !== name[index]) return false;
  return true;
}
