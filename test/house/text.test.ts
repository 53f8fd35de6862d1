import { describe, expect, test } from 'vitest';
import { files, read } from './repository.ts';

const binary = /\.(png|gz|zst|ico|woff2)$/;
const texts = files().filter((path) => !binary.test(path));

/** `path:line` of every line that matches, in the files that the filter leaves. */
function occurrences(pattern: RegExp, include: (path: string) => boolean = () => true): string[] {
  return texts.filter(include).flatMap((path) =>
    read(path)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${path}:${String(index + 1)}`] : [])),
  );
}

// Written in halves, or this file would find itself.
const word = (...halves: string[]): RegExp => new RegExp(halves.join(''));

describe('the repository', () => {
  test('is found', () => {
    expect(texts).toContain('README.md');
    expect(texts).toContain('test/house/text.test.ts');
  });

  test('names no path of the machine it was written on', () => {
    expect(occurrences(word('(^|[^\\w.])/(wo', 'rk|ro', 'ot)/'))).toEqual([]);
    expect(occurrences(word('sha', 'red/(design|semantics|contract|tables|style|clients)\\b'))).toEqual([]);
  });

  test('names no package registry', () => {
    const hosts = ['registry.npm', 'js|npmmir', 'ror|files.python', 'hosted|crates', '\\.io|deb.deb', 'ian'];
    expect(occurrences(word(...hosts), (path) => path !== 'package-lock.json')).toEqual([]);
  });

  test('says why wherever a lint rule is disabled', () => {
    expect(occurrences(word('eslint-dis', 'able(?!.* -- \\w)'), (path) => path.endsWith('.ts'))).toEqual([]);
  });

  test('has no test that is focused, put off, or skipped without a condition', () => {
    const left = /\b(it|test|describe)\.(only|todo)\(|^\s*describe\.skip\(|^(it|test)\.skip\(/;
    expect(occurrences(left, (path) => path.endsWith('.test.ts'))).toEqual([]);
  });

  test('names its sources in kebab case', () => {
    const sources = files().filter((path) => /^(src|test|bench)\/.*\.ts$/.test(path));
    expect(sources.filter((path) => !/^[a-z0-9/-]+(\.(test|d))?\.ts$/.test(path))).toEqual([]);
  });
});
