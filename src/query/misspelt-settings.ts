import type { Node } from '@pgsql/types';
import { bare, walk } from '../sql/walk.ts';
import type { ClientBackend } from './backend.ts';
import { ParameterList } from './parameters.ts';
import { SETTING_NAMES, unknownSetting } from './settings.ts';

/**
 * Settings `trailhound.*` that were set and do not exist. PostgreSQL takes any name with a dot and lists none that it does
 * not know, so their names are noted as they pass; whether they are set still, PostgreSQL says.
 */
export class MisspeltSettings {
  readonly #bySession = new WeakMap<object, Set<string>>();

  note(statement: Node, session: object): void {
    for (const name of settingsIn(statement)) {
      if (!name.startsWith('trailhound.') || (SETTING_NAMES as readonly string[]).includes(name)) continue;
      const noted = this.#bySession.get(session) ?? new Set();
      this.#bySession.set(session, noted.add(name));
    }
  }

  /** Throws `unknown_setting`. RESET, ROLLBACK and the end of SET LOCAL leave an empty text behind. */
  async check(session: object, backend: ClientBackend): Promise<void> {
    const noted = this.#bySession.get(session);
    if (noted === undefined) return;
    const parameters = new ParameterList([], []);
    const names = parameters.addTextArray([...noted]);
    const { rows } = await backend.query({
      text: `select n.name from pg_catalog.unnest(${names}) as n(name) where pg_catalog.current_setting(n.name, true) operator(pg_catalog.<>) ''`,
      parameterTypes: parameters.types,
      parameters: parameters.values,
    });
    const name = rows[0]?.[0];
    if (typeof name === 'string') throw unknownSetting(name);
  }
}

/** By SET, and by set_config() with a constant. */
function settingsIn(statement: Node): readonly string[] {
  const names: (string | undefined)[] = [bare(statement, 'VariableSetStmt')?.name];
  walk(statement, (node, kind) => {
    const call = kind === 'FuncCall' ? bare(node, 'FuncCall') : undefined;
    if (bare(call?.funcname?.at(-1), 'String')?.sval === 'set_config') {
      names.push(bare(call?.args?.[0], 'A_Const')?.sval?.sval);
    }
    return undefined;
  });
  return names.filter((name) => name !== undefined).map((name) => name.toLowerCase());
}
