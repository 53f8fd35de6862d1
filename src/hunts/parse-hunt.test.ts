import { expect, it } from 'vitest';
import { TrailhoundError } from '../kernel/errors.ts';
import { loadHunts, OWN_HUNTS } from './hunt-library.ts';
import { parseHunt } from './parse-hunt.ts';

const HEAD = `-- id: a/b
-- title: Something
--   over two lines
-- severity: high
-- mitre: T1136.003, T1078
-- tables: cloudtrail_trail_event
-- parameter: since interval = 7 days; how far back
-- parameter: until interval = 0 days; when to stop
-- false positives: One.
-- false positives: Two.
`;

function failure(sql: string): TrailhoundError {
  try {
    parseHunt(sql, 'a/b', 'a/b.sql');
  } catch (error) {
    if (error instanceof TrailhoundError) return error;
    throw error;
  }
  throw new Error('the hunt was accepted');
}

it('reads the comment block and leaves the statement alone', () => {
  const sql = `${HEAD}select 1 -- id: not me\n`;
  expect(parseHunt(sql, 'a/b', 'a/b.sql')).toEqual({
    id: 'a/b',
    title: 'Something over two lines',
    severity: 'high',
    mitre: ['T1136.003', 'T1078'],
    tables: ['cloudtrail_trail_event'],
    parameters: [
      { name: 'since', type: 'interval', defaultValue: '7 days', required: undefined, description: 'how far back' },
      { name: 'until', type: 'interval', defaultValue: '0 days', required: undefined, description: 'when to stop' },
    ],
    watch: undefined,
    falsePositives: ['One.', 'Two.'],
    nextSteps: [],
    references: [],
    origin: [],
    file: 'a/b.sql',
    sql,
  });
});

it('reads what a hunt cannot do without, alone or one of several', () => {
  const lines = '-- parameter: who text required; a name\n-- parameter: key text[] one of required; a key\n';
  expect(parseHunt(`${HEAD}${lines}select 1`, 'a/b', 'a/b.sql').parameters.slice(2)).toEqual([
    { name: 'who', type: 'text', defaultValue: undefined, required: 'always', description: 'a name' },
    { name: 'key', type: 'text[]', defaultValue: undefined, required: 'one of', description: 'a key' },
  ]);
});

it.each([
  ['another id than the path', HEAD.replace('a/b', 'a/c'), /^a\/b\.sql:1: id is a\/c/],
  ['no title', HEAD.replace(/-- title.*\n.*\n/, ''), /says no title/],
  ['a title twice', `${HEAD}-- title: Again\n`, /^a\/b\.sql:11: title stands twice/],
  ['a severity that is none', HEAD.replace('high', 'hi'), /^a\/b\.sql:4: "hi" is no severity/],
  ['an unknown key', `${HEAD}-- refrences: x\n`, /^a\/b\.sql:11: unknown key refrences/],
  ['a line without a key', `${HEAD}-- hello\n`, /^a\/b\.sql:11: expected "-- key: value"/],
  ['a parameter without a default', `${HEAD}-- parameter: x integer\n`, /^a\/b\.sql:11: "x integer" is no parameter/],
  ['no since', HEAD.replace(/-- parameter: since.*\n/, ''), /has no parameter since/],
  ['a technique that is none', HEAD.replace('T1078', 'TA01'), /^a\/b\.sql:5: "TA01" is no technique/],
])('refuses %s, naming the line', (_, head, message) => {
  expect(failure(`${head}select 1`).message).toMatch(message);
});

it('guesses the key that was meant', () => {
  expect(failure(`${HEAD}-- refrences: x\nselect 1`).hint).toBe('Did you mean references?');
});

it('loads every hunt of the package, once even where the configuration names the same folder', () => {
  const hunts = loadHunts([OWN_HUNTS]);
  expect(hunts.map(({ id }) => id)).toEqual([...new Set(hunts.map(({ id }) => id))].sort());
  expect(hunts.map(({ id }) => id)).toContain('cloudtrail/create-user-by-abusers');
});

it('overrides a severity by id and refuses an id that no hunt has', () => {
  const hunts = loadHunts([], { 'cloudtrail/console-sign-ins': 'low' });
  expect(hunts.find(({ id }) => id === 'cloudtrail/console-sign-ins')?.severity).toBe('low');
  expect(() => loadHunts([], { 'cloudtrail/console-sign-in': 'low' })).toThrow(/hunts\.severity: there is no hunt/);
});
