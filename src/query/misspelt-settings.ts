import type { Node } from '@pgsql/types';
import { bare, walk } from '../sql/walk.ts';
import { SETTING_NAMES } from './settings.ts';

const PREFIX = 'trailhound.';
/** A session that sets a name of its own each time must not grow for ever. */
const MOST = 100;

/**
 * Settings `trailhound.*` that were set and do not exist. PostgreSQL takes any name with a dot and lists none that it does
 * not know, so their names are noted as they pass; whether they are set still, PostgreSQL says.
 */
export class MisspeltSettings {
  readonly #bySession = new WeakMap<object, Set<string>>();

  note(names: readonly string[], session: object): void {
    for (const name of names) {
      const lower = name.toLowerCase();
      if (!lower.startsWith(PREFIX) || (SETTING_NAMES as readonly string[]).includes(lower)) continue;
      const noted = this.#bySession.get(session) ?? new Set();
      if (noted.size < MOST) this.#bySession.set(session, noted.add(lower));
    }
  }

  of(session: object): readonly string[] {
    return [...(this.#bySession.get(session) ?? [])];
  }
}

/** By SET, and by set_config() with a constant. */
export function settingsIn(statement: Node): readonly string[] {
  const names: (string | undefined)[] = [bare(statement, 'VariableSetStmt')?.name];
  walk(statement, (node, kind) => {
    const call = kind === 'FuncCall' ? bare(node, 'FuncCall') : undefined;
    if (bare(call?.funcname?.at(-1), 'String')?.sval === 'set_config') {
      names.push(bare(call?.args?.[0], 'A_Const')?.sval?.sval);
    }
    return undefined;
  });
  return names.filter((name) => name !== undefined);
}
