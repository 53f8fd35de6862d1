import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PROGRAMS, type Command, type Group, type Program } from './support/programs.ts';
import { askedOf, runProgram, type Answer } from './support/run-program.ts';
import { openSides, type Side, type Sides } from './support/sides.ts';

/** The group whose programs have to be there; without it those run that are. */
const REQUIRED = process.env.TRAILHOUND_TEST_CLIENTS as Group | undefined;
const scratch = mkdtempSync(join(tmpdir(), 'trailhound-clients-'));

let sides: Sides;
beforeAll(async () => {
  sides = await openSides();
});
afterAll(async () => {
  rmSync(scratch, { recursive: true });
  await sides.close();
});

function commandOf(program: Program): Command | string {
  try {
    return program.command(scratch);
  } catch (error) {
    if (REQUIRED === 'by hand' || REQUIRED === program.group) throw error;
    return (error as Error).message;
  }
}

for (const program of PROGRAMS.filter(({ group }) => group === 'always' || group === REQUIRED)) {
  const command = commandOf(program);
  if (typeof command === 'string') {
    test.skip(`${program.name}: there is no ${command}`, () => undefined);
    continue;
  }
  describe(program.name, () => {
    let through: readonly Answer[];
    let directly: readonly Answer[];

    test('answers all that it is asked', async () => {
      const run = (side: Side) => runProgram(program, command, sides[side], side);
      const runs = await Promise.all([run('through'), run('directly')]);
      [through = [], directly = []] = runs.map(({ answers }) => answers);
      for (const { answers, stderr } of runs) {
        expect(stderr).toBe('');
        expect(answers).toHaveLength(askedOf(program).length);
      }
    });

    const asked = askedOf(program).map(({ check, way }, index) => [check.name, way, check, index] as const);
    test.each(asked)(
      '%s (%s): the same through us as of PostgreSQL',
      (_name, _way, { expected, kind, name }, index) => {
        expect(directly[index]).toBeDefined();
        expect(directly[index]?.['threw']).toBeUndefined();
        if (expected === undefined) expect(through[index]).toEqual(directly[index]);
        else expect(through[index]).toMatchObject(expected);
        if (kind === 'rows' && name !== 'no rows') expect(directly[index]?.['rows']).not.toEqual([]);
      },
    );
  });
}
