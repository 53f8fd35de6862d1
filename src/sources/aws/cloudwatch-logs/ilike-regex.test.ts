import { expect, it } from 'vitest';
import { regexOfPatterns } from './ilike-regex.ts';

it.each<readonly [patterns: readonly string[], regex: string | undefined]>([
  [['aB-1'], '^[Aa][Bb]-1$'],
  [['Get%'], '^[Gg][Ee][Tt]'],
  [['%.zip'], '\\.[Zz]'],
  [['%/log'], '/[Ll][Oo][Gg]$'],
  [['a%bcd%ef'], '[Bb][Cc][Dd]'],
  [['a_bc'], '[Bb][Cc]$'],
  [['100\\%_x'], '^100'],
  // Of a letter that other characters become in lower case, nothing is said.
  [['ListKeys'], '[Ee][Yy][Ss]$'],
  [['abc', 'ABC', 'de'], '^[Aa][Bb][Cc]$|^[Dd][Ee]$'],
  [['%'], undefined],
  [['abc', 'ik'], undefined],
  [[], undefined],
  [['é"\n'], undefined],
])('%j is %s', (patterns, regex) => {
  expect(regexOfPatterns(patterns)).toBe(regex);
});

it('asks for the begin of each of many, or for nothing', () => {
  const names = (count: number) => Array.from({ length: count }, (_, index) => `DeleteLoadBalancer${index}`);
  const regex = regexOfPatterns(names(30)) ?? '';
  expect(regex.length).toBeLessThanOrEqual(400);
  expect(regex).toMatch(/^\^\[Dd\]\[Ee\]/);
  for (const name of names(30)) expect(name.toUpperCase()).toMatch(new RegExp(regex));
  expect(regexOfPatterns(Array.from({ length: 100 }, (_, index) => `${index}x${index}`))).toBeUndefined();
});
