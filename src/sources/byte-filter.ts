import { ManyTexts } from './many-texts.ts';
import { type Needle, type Needles, textOf } from './needles.ts';

/** Bytes of CloudTrail's records, the most frequent ones first: a search that begins with a rare one is the quickest. */
const FREQUENT = '"eatrs:noic-1,2dum30lA.I7p8v45Sgfbw 96y/CTDEh{}RNHPVMFkzWqxOBZGKQUL*j_XJ+Y()\\[];#=%><@\'$~?&!`|';
/** Longer texts are searched for by another way, ten times as slow, where they begin with a frequent byte. */
const ANCHOR_BYTES = 6;

const ESCAPED = Buffer.from('\\u');
const ESCAPED_ASCII = Buffer.from('\\u00');
const ESCAPED_SLASH = Buffer.from('\\/');

/** So many are searched for one by one, which Node does at several bytes a time. */
const FEW = 16;

/** Finds the first place in bytes, from one on, at which a record may hold what is looked for; -1: there is none. */
interface Probe {
  find(bytes: Buffer, from: number): number;
}

/** One of them, at the least, is met in every record that satisfies a condition. */
interface Probes {
  /** They are met in bytes as `inOneCase` writes them. */
  readonly anyCase: boolean;
  readonly all: readonly Probe[];
}

/** Says of bytes whether they can be a record that satisfies conditions; where they cannot, nobody needs to parse them. */
export class ByteFilter {
  readonly #conditions: readonly Probes[];

  /** One entry a conjunct, at least one. */
  constructor(conditions: readonly Needles[]) {
    this.#conditions = conditions.map(probesOf);
  }

  mayHold(bytes: Buffer): boolean {
    let lower: Buffer | undefined;
    return this.#conditions.every(({ anyCase, all }) => {
      const text = anyCase ? (lower ??= inOneCase(bytes)) : bytes;
      return all.some((probe) => probe.find(text, 0) >= 0);
    });
  }

  /** Finds, from the first place on, where one of the conditions may be satisfied: of that one which is least often. */
  places(sample: Buffer): Places {
    const [first = { anyCase: false, all: [] }, ...others] = this.#conditions;
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
  readonly #anyCase: boolean;
  #bytes: Buffer = Buffer.alloc(0);
  /** Of each probe, the next place that is known; -1: there is none any more. */
  #next: number[] = [];

  constructor({ anyCase, all }: Probes) {
    this.#probes = all;
    this.#anyCase = anyCase;
  }

  /** Of another buffer. */
  begin(bytes: Buffer): void {
    this.#bytes = this.#anyCase ? inOneCase(bytes) : bytes;
    this.#next = this.#probes.map((probe) => probe.find(this.#bytes, 0));
  }

  /** The first one from there on, `from` being no smaller than before; the bytes' end where there is none. */
  next(from: number): number {
    let first = this.#bytes.length;
    for (let index = 0; index < this.#probes.length; index += 1) {
      let at = this.#next[index] as number;
      if (at >= 0 && at < from) {
        at = (this.#probes[index] as Probe).find(this.#bytes, from);
        this.#next[index] = at;
      }
      if (at >= 0 && at < first) first = at;
    }
    return first;
  }
}

function countOf({ anyCase, all }: Probes, bytes: Buffer): number {
  const text = anyCase ? inOneCase(bytes) : bytes;
  let count = 0;
  for (const probe of all) {
    for (let at = probe.find(text, 0); at >= 0; at = probe.find(text, at + 1)) count += 1;
  }
  return count;
}

const NOT_ASCII = 0xff;
const IN_ONE_CASE = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x80) return NOT_ASCII;
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
});

/**
 * In lower case, with one byte for all that is not ASCII. Where a character of that kind is one of ASCII's letters in another
 * case (the Kelvin sign, a dotted capital I) depends on the collation.
 */
function inOneCase(bytes: Buffer): Buffer {
  const lower = Buffer.allocUnsafe(bytes.length);
  for (let at = 0; at < bytes.length; at += 1) lower[at] = IN_ONE_CASE[bytes[at] as number] as number;
  return lower;
}

/** `test` looks closer at what `anchor` finds. */
function anchored(anchor: Buffer, test: (bytes: Buffer, at: number) => boolean = () => true): Probe {
  return {
    find: (bytes, from) => {
      let at = bytes.indexOf(anchor, from);
      while (at >= 0 && !test(bytes, at)) at = bytes.indexOf(anchor, at + 1);
      return at;
    },
  };
}

/** The text of an object or a list has an escape of its own for each: `\n` for `\u000a`. */
const CONTROLS = String.fromCharCode(...Array.from({ length: 0x20 }, (_, code) => code));

/** A record that writes one of the needles' characters by an escape may write a needle so; one of a backslash, an escape. */
function probesOf(needles: Needles): Probes {
  const anyCase = needles.some((needle) => typeof needle !== 'string');
  const texts = needles.map((needle) => inCase(needle, anyCase));
  const characters = new Set(`${texts.join('')}\\${CONTROLS}`);
  const isOne = (escaped: string) =>
    anyCase ? escaped > '\x7f' || characters.has(escaped.toLowerCase()) : characters.has(escaped);
  return {
    anyCase,
    all: [
      ...(texts.length > FEW ? [new ManyTexts(texts.map((text) => Buffer.from(text, 'latin1')))] : texts.map(probeOf)),
      anchored(anyCase ? ESCAPED : ESCAPED_ASCII, (bytes, at) => isOne(escapedCharacter(bytes, at))),
      ...(characters.has('/') ? [anchored(ESCAPED_SLASH)] : []),
      ...(anyCase ? [anchored(Buffer.of(NOT_ASCII))] : []),
    ],
  };
}

function inCase(needle: Needle, anyCase: boolean): string {
  return anyCase ? textOf(needle).toLowerCase() : textOf(needle);
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
  return anchored(anchor, test);
}

/** `\u0041`; empty where it is none. A second backslash before it, as within a text of JSON, makes no difference. */
function escapedCharacter(bytes: Buffer, at: number): string {
  const digits = bytes.toString('latin1', at + ESCAPED.length, at + ESCAPED.length + 4);
  return /^[\da-f]{4}$/i.test(digits) ? String.fromCharCode(Number.parseInt(digits, 16)) : '';
}
