import type { HydratedRows } from '../hydrate/hydrator.ts';
import type { ParameterList } from './parameters.ts';

/** A condition that fails the statement, and the stored keys that it reads: COPY takes no parameters. */
export interface Guard {
  readonly known: readonly HydratedRows[];
  readonly sql: (parameters: ParameterList) => string;
}

export function allOf(guards: readonly Guard[]): Guard {
  return {
    known: guards.flatMap(({ known }) => known),
    sql: (parameters) => guards.map(({ sql }) => sql(parameters)).join(' and '),
  };
}
