import type { StatementSettings } from '../hydrate/hydrator.ts';
import { TrailhoundError } from '../kernel/errors.ts';
import { nearest } from '../kernel/nearest.ts';

/** Session settings that users may SET, and how their text is read. `undefined` text: not set, the default applies. */
const SETTINGS = {
  'trailhound.cache': { default: 'on', allowed: 'on, off', read: readBoolean },
  'trailhound.cache_max_age': { default: '', allowed: "an interval such as '1 hour', or '' for none", read: readAge },
  'trailhound.sources': { default: 'live', allowed: 'live, cache, off', read: readSources },
  'trailhound.max_lookups': { default: '250', allowed: 'a whole number from 0 up', read: readCount(0) },
  'trailhound.concurrency': { default: '16', allowed: 'a whole number from 1 up', read: readCount(1) },
  'trailhound.partial': { default: 'off', allowed: 'on, off', read: readBoolean },
  'trailhound.progress': { default: 'off', allowed: 'on, off', read: readBoolean },
} as const;

export const SETTING_NAMES = Object.keys(SETTINGS) as readonly (keyof typeof SETTINGS)[];

/** @param values setting by name; ages come as milliseconds, computed by PostgreSQL */
export function readSettings(values: Readonly<Record<string, string | null | undefined>>): StatementSettings {
  const value = <K extends keyof typeof SETTINGS>(name: K): ReturnType<(typeof SETTINGS)[K]['read']> => {
    const { default: fallback, allowed, read } = SETTINGS[name];
    const text = values[name] ?? '';
    const result = read(text === '' ? fallback : text);
    if (result === undefined && !(name === 'trailhound.cache_max_age' && text === '')) {
      throw new TrailhoundError('invalid_setting', `invalid value for parameter "${name}": "${text}"`, {
        hint: `Allowed: ${allowed}.`,
      });
    }
    return result as ReturnType<(typeof SETTINGS)[K]['read']>;
  };
  return {
    cache: value('trailhound.cache') ?? true,
    cacheMaxAgeMs: value('trailhound.cache_max_age'),
    sources: value('trailhound.sources') ?? 'live',
    maxLookups: value('trailhound.max_lookups') ?? 250,
    concurrency: value('trailhound.concurrency') ?? 16,
    partial: value('trailhound.partial') ?? false,
    progress: value('trailhound.progress') ?? false,
  };
}

export function unknownSetting(name: string): TrailhoundError {
  const near = nearest(name, SETTING_NAMES);
  return new TrailhoundError('unknown_setting', `unrecognized configuration parameter "${name}"`, {
    hint: `${near === undefined ? `There are ${SETTING_NAMES.join(', ')}` : `Perhaps you meant "${near}"`}; RESET ${name} forgets it.`,
  });
}

function readBoolean(text: string): boolean | undefined {
  // The spellings of PostgreSQL's own boolean settings.
  const word = text.toLowerCase();
  if (['on', 'true', 'yes', '1'].includes(word)) return true;
  return ['off', 'false', 'no', '0'].includes(word) ? false : undefined;
}

function readSources(text: string): StatementSettings['sources'] | undefined {
  return text === 'live' || text === 'cache' || text === 'off' ? text : undefined;
}

function readCount(least: number): (text: string) => number | undefined {
  return (text) => {
    const value = Number(text);
    return Number.isSafeInteger(value) && value >= least ? value : undefined;
  };
}

function readAge(text: string): number | undefined {
  const value = Number(text);
  return text !== '' && Number.isFinite(value) && value >= 0 ? value : undefined;
}
