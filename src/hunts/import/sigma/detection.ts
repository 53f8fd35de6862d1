import { UnreadableRule } from '../unreadable-rule.ts';
import type { Detection } from './item.ts';
import { readItem } from './modifiers.ts';

/** Lists and maps within each other. */
const MAX_DEPTH = 20;
/** Of one rule: a statement with more is no longer one to read, and slow. */
const MAX_MATCHES = 5_000;

/**
 * A search identifier's body: a map (all of it), a list (any of it), or a text that is looked for in the whole record.
 *
 * @throws UnreadableRule with the place within the rule.
 */
export function readDetection(definition: unknown, place: string, depth = 0): Detection {
  if (depth > MAX_DEPTH)
    throw new UnreadableRule(undefined, `${place}: more than ${MAX_DEPTH} lists within each other`);
  if (Array.isArray(definition)) return listOf(definition, place, depth);
  if (typeof definition !== 'object' || definition === null) return item('', definition, place);
  const of = Object.entries(definition).map(([key, value]) => item(key, value, `${place}.${key}`));
  if (of.length === 0) throw new UnreadableRule(undefined, `${place}: it is empty`);
  return single('all', of);
}

function listOf(list: readonly unknown[], place: string, depth: number): Detection {
  if (list.length === 0) throw new UnreadableRule(undefined, `${place}: it is empty`);
  if (list.every((each) => typeof each !== 'object')) return item('', list, place);
  return single(
    'any',
    list.map((each, index) => readDetection(each, `${place}[${index}]`, depth + 1)),
  );
}

function single(kind: 'all' | 'any', of: readonly Detection[]): Detection {
  const [only, second] = of;
  return only !== undefined && second === undefined ? only : { kind, of };
}

function item(key: string, value: unknown, place: string): Detection {
  try {
    const read = readItem(key, value);
    if (read.field === undefined) {
      const isText = read.all.flat().every(({ kind }) => kind === 'text' || kind === 'regular expression');
      if (!isText) throw new UnreadableRule(undefined, 'the whole record is searched for texts alone');
      if (/\|(startswith|endswith)\b/.test(key))
        throw new UnreadableRule(undefined, 'a record has no start and no end');
    }
    return { kind: 'item', item: read };
  } catch (error) {
    if (!(error instanceof UnreadableRule)) throw error;
    throw new UnreadableRule(error.line, `${place}: ${error.message}`);
  }
}

/** @throws UnreadableRule */
export function checkSize(detections: Iterable<Detection>): void {
  let count = 0;
  for (const detection of detections) count += matchesIn(detection);
  if (count > MAX_MATCHES) {
    throw new UnreadableRule(
      undefined,
      `it has ${count} values: a hunt takes ${MAX_MATCHES}; keep such lists in a table`,
    );
  }
}

function matchesIn(detection: Detection): number {
  return detection.kind === 'item'
    ? detection.item.all.flat().length
    : detection.of.reduce((sum, each) => sum + matchesIn(each), 0);
}
