import { parseKept } from '../sql/parse.ts';
import { walk } from '../sql/walk.ts';

/** Whether a planned query reads anything but what is written in it. */
export function readsRelation(query: string): boolean {
  let found = false;
  walk(parseKept(query), (_node, kind) => {
    if (kind === 'RangeVar') found = true;
    return undefined;
  });
  return found;
}
