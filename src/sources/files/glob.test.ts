import { expect, test } from 'vitest';
import { ANY_FOLDERS, matchesSegment, parseGlob } from './glob.ts';

test.each<[string, string, boolean]>([
  ['*.json', 'a.json', true],
  ['*.json', '.json', false],
  ['.*', '.a', true],
  ['*', '.a', false],
  ['?.gz', 'a.gz', true],
  ['?.gz', 'ab.gz', false],
  ['a.json', 'a.json', true],
  ['a.j*', 'axj', false],
  ['[a-c]x', 'bx', true],
  ['[!a-c]x', 'bx', false],
  ['[^a-c]x', 'dx', true],
  ['[]]x', ']x', true],
  ['[x', '[x', true],
  ['a**b', 'acb', true],
  ['*\u{1F600}?', 'x\u{1F600}\u{1F601}', true],
])('%s matches %s: %s', (pattern, name, expected) => {
  const [glob] = parseGlob(`/${pattern}`);
  expect(matchesSegment(glob?.segments[0] ?? '', name)).toBe(expected);
});

test.each<[string, readonly string[]]>([
  ['/a.json', ['/a.json', '/a.json/**/…']],
  ['/a/', ['/a/**/…']],
  ['/*/a', ['/…/a', '/…/a/**/…']],
  ['/**', ['/**/…']],
  ['/a/**/*.gz', ['/a/**/…']],
  ['/{a,b}/x', ['/a/x', '/a/x/**/…', '/b/x', '/b/x/**/…']],
  ['/x{a,b{c,d}}', ['/xa', '/xa/**/…', '/xbc', '/xbc/**/…', '/xbd', '/xbd/**/…']],
  ['/x{a}', ['/…']],
])('%s leads to %s', (text, expected) => {
  const shown = parseGlob(text).map(({ segments }) =>
    segments
      .map((segment) => `/${segment === ANY_FOLDERS ? '**' : typeof segment === 'string' ? segment : '…'}`)
      .join(''),
  );
  expect(shown).toEqual(expected);
});

test('a pattern that tells no evidence from other files says so', () => {
  expect(parseGlob('/a/**').map(({ anyName }) => anyName)).toEqual([true]);
  expect(parseGlob('/a/*').map(({ anyName }) => anyName)).toEqual([true]);
  expect(parseGlob('/a/*.gz').map(({ anyName }) => anyName)).toEqual([false]);
  expect(parseGlob('/a').map(({ anyName }) => anyName)).toEqual([false, true]);
});
