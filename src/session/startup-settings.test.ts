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
