import fc from 'fast-check';
import { expect, test } from 'vitest';
import { startupSettings } from './startup-settings.ts';

test.each([
  ['-c trailhound.foo=1 -c work_mem=4MB', ['trailhound.foo', 'work_mem']],
  ['-ctrailhound.foo=1   --trailhound.max-lookups=2', ['trailhound.foo', 'trailhound.max_lookups']],
  ['-c trailhound.foo=a\\ -c\\ x=1 -e', ['trailhound.foo']],
  ['-c', []],
  ['', []],
])('options %s set %j', (options, names) => {
  expect(startupSettings([['options', options]])).toEqual(names);
});

test('parameters are settings of their own, but for those that say who connects to what', () => {
  const parameters = [
    ['user', 'trailhound'],
    ['database', 'trailhound'],
    ['replication', 'off'],
    ['trailhound.sources', 'cache'],
    ['application_name', 'psql'],
  ] as const;
  expect(startupSettings(parameters)).toEqual(['trailhound.sources', 'application_name']);
});

test('of any options they are at most as many as there are words', () => {
  const piece = fc.constantFrom('-c', '--', ' ', '\\', '=', 'a', '-', '\t', '\u00a0');
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece).map((pieces) => pieces.join('')),
      ),
      (options) => {
        const names = startupSettings([['options', options]]);
        expect(names.length).toBeLessThanOrEqual(options.length / 2);
        expect(names.join('').length).toBeLessThanOrEqual(options.length);
      },
    ),
  );
});
