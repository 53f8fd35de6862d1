import { spawn } from 'node:child_process';
import { CHECKS, type Check } from './checks.ts';
import type { Command, Program } from './programs.ts';
import type { Side, Target } from './sides.ts';

export type Answer = Readonly<Record<string, unknown>>;

export interface Asked {
  readonly check: Check;
  readonly way: string;
}

/** The checks of a program: statements in each of its ways, the others once. */
export function askedOf({ ways, without = [] }: Program): readonly Asked[] {
  return CHECKS.filter(({ kind }) => !without.includes(kind)).flatMap((check) =>
    (check.kind === 'rows' ? ways : ways.slice(0, 1)).map((way) => ({ check, way })),
  );
}

/**
 * Starts a program with `port authority stranger` as arguments, the rest of the log-in in libpq's variables, and a check
 * a line on its standard input: kind, way, statement and values, parted by tabs. It answers each with a line of JSON.
 */
export async function runProgram(
  program: Program,
  { command, environment }: Command,
  target: Target,
  side: Side,
): Promise<{ readonly answers: readonly Answer[]; readonly stderr: string }> {
  const input = askedOf(program).map(({ check, way }) => {
    const sql = typeof check.sql === 'string' ? check.sql : check.sql[side];
    const text = sql.replaceAll(/\s+/gu, ' ').replaceAll(/\$(\d)/gu, (_, n: string) => program.placeholder(Number(n)));
    return [check.kind, way, text, ...(check.values ?? [])].join('\t');
  });
  const [name = '', ...words] = command;
  const child = spawn(name, [...words, String(target.port), target.authority, target.stranger], {
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      LC_ALL: 'C.UTF-8',
      PGUSER: target.user,
      PGPASSWORD: target.password,
      PGDATABASE: target.database,
      ...environment,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.on('error', () => undefined).end(`${input.join('\n')}\n`);
  await new Promise((resolve) => child.on('close', resolve).on('error', resolve));
  const answers = stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Answer);
  return { answers, stderr };
}
