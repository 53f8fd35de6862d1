import { expect, it } from 'vitest';
import { parseHunt } from '../parse-hunt.ts';
import { eventStatement } from './event-statement.ts';
import { literal } from './sql-literal.ts';
import { huntText } from './hunt-text.ts';

it('writes a comment block that is read back as what the rule says', () => {
  const statement = eventStatement('cloudtrail_trail_event', {
    severity: 'high',
    condition: `e.user_agent = ${literal("it's\\")}`,
    detail: [],
  });
  const words = Array.from({ length: 60 }, (_, index) => `word${index}`).join(' ');
  const text = huntText('sigma/a-b', {
    place: 'x.yml',
    name: 'a b',
    title: `Two\nlines;\u2028drop table x; ${words}`,
    severity: 'high',
    mitre: ['T1078'],
    tables: ['cloudtrail_trail_event'],
    origin: ['Author: somebody', 'License: one'],
    watch: '1 day',
    falsePositives: [words, words],
    statement,
  });
  expect(parseHunt(text, 'sigma/a-b', 'x.sql')).toMatchObject({
    title: `Two lines; drop table x; ${words}`,
    severity: 'high',
    mitre: ['T1078'],
    watch: '1 day',
    falsePositives: [words],
    origin: ['Author: somebody', 'License: one'],
  });
  const lines = text.split('\n');
  expect(lines.slice(lines.indexOf('select')).join('\n')).toBe(`${statement}\n`);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(120);
});
