import { BACKSLASH } from './json-bytes.ts';
import type { Needles } from './needles.ts';

/** Bytes of CloudTrail's records, the most frequent ones first: a search that begins with a rare one is the quickest. */
const FREQUENT = '"eatrs:noic-1,2dum30lA.I7p8v45Sgfbw 96y/CTDEh{}RNHPVMFkzWqxOBZGKQUL*j_XJ+Y()\\[];#=%><@\'$~?&!`|';
/** Longer texts are searched for by another way, ten times as slow, where they begin with a frequent byte. */
const ANCHOR_BYTES = 6;

const ESCAPED = Buffer.from('\\u00');
const ESCAPED_SLASH = Buffer.from('\\/');

/** A place in bytes at which a record may hold what is looked for: `test` looks closer at what `anchor` finds. */
interface Probe {
  readonly anchor: Buffer;
  readonly test: (bytes: Buffer, at: number) => boolean;
}

/** Says of bytes whether they can be a record that satisfies conditions; where they cannot, nobody needs to parse them. */
export class ByteFilter {
  readonly #conditions: readonly (readonly Probe[])[];

  /** One entry a conjunct, at least one. */
  constructor(conditions: readonly Needles[]) {
    this.#conditions = conditions.map(probesOf);
  }

  mayHold(bytes: Buffer): boolean {
    return this.#conditions.every((probes) => probes.some((probe) => find(probe, bytes, 0) >= 0));
  }

  /** Finds, from the first place on, where one of the conditions may be satisfied: of that one which is least often. */
  places(sample: Buffer): Places {
    const [first = [], ...others] = this.#conditions;
    if (others.length === 0) return new Places(first);
    const rarest = [first, ...others]
      .map((probes) => ({ probes, count: countOf(probes, sample) }))
      .reduce((least, one) => (one.count < least.count ? one : least));
    return new Places(rarest.probes);
  }
}

/** Where probes are met in a buffer, asked for from left to right. */
export class Places {
  readonly #probes: readonly Probe[];
  /** Of each probe, the next place that is known; -1: there is none any more. */
  #next: number[] = [];

  constructor(probes: readonly Probe[]) {
    this.#probes = probes;
  }

  /** Of another buffer. */
  begin(bytes: Buffer): void {
    this.#next = this.#probes.map((probe) => find(probe, bytes, 0));
  }

  /** Whether there is one in `from` to before `to`. */
  isWithin(bytes: Buffer, from: number, to: number): boolean {
    for (let index = 0; index < this.#probes.length; index += 1) {
      let at = this.#next[index] as number;
      if (at >= 0 && at < from) {
        at = find(this.#probes[index] as Probe, bytes, from);
        this.#next[index] = at;
      }
      if (at >= 0 && at < to) return true;
    }
    return false;
  }
}

function countOf(probes: readonly Probe[], bytes: Buffer): number {
  let count = 0;
  for (const probe of probes) {
    for (let at = find(probe, bytes, 0); at >= 0; at = find(probe, bytes, at + 1)) count += 1;
  }
  return count;
}

function find({ anchor, test }: Probe, bytes: Buffer, from: number): number {
  let at = bytes.indexOf(anchor, from);
  while (at >= 0 && !test(bytes, at)) at = bytes.indexOf(anchor, at + 1);
  return at;
}

/** A record that writes one of the needles' characters by an escape may write a needle so; one of a backslash, an escape. */
function probesOf(needles: Needles): readonly Probe[] {
  const characters = new Set(`${needles.join('')}\\`);
  return [
    ...needles.map(probeOf),
    { anchor: ESCAPED, test: (bytes, at) => characters.has(escapedCharacter(bytes, at)) },
    ...(characters.has('/') ? [{ anchor: ESCAPED_SLASH, test: () => true }] : []),
  ];
}

function probeOf(needle: string): Probe {
  const bytes = Buffer.from(needle, 'latin1');
  const rareness = Array.from(needle, (character) => FREQUENT.indexOf(character));
  const last = Math.max(0, bytes.length - ANCHOR_BYTES);
  let offset = 0;
  for (let at = 1; at <= last; at += 1) if ((rareness[at] as number) > (rareness[offset] as number)) offset = at;
  const anchor = bytes.subarray(offset, offset + ANCHOR_BYTES);
  const test = (all: Buffer, at: number) =>
    at >= offset &&
    all.compare(bytes, 0, bytes.length, at - offset, Math.min(at - offset + bytes.length, all.length)) === 0;
  return { anchor, test };
}

/** `\u0041`, which is ASCII; a second backslash before it, as within a text of JSON, makes no difference. */
function escapedCharacter(bytes: Buffer, at: number): string {
  const digits = bytes.toString('latin1', at + ESCAPED.length, at + ESCAPED.length + 2);
  const code = Number.parseInt(digits, 16);
  return Number.isNaN(code) || bytes[at] !== BACKSLASH ? '' : String.fromCharCode(code);
}
