import { TrailhoundError } from '../kernel/errors.ts';
import { nearest } from '../kernel/nearest.ts';
import { SEVERITIES, type Hunt, type HuntParameter, type Severity } from './hunt.ts';

const KEYS = [
  'id',
  'title',
  'severity',
  'mitre',
  'tables',
  'parameter',
  'watch',
  'false positives',
  'next steps',
  'references',
  'origin',
] as const;
type Key = (typeof KEYS)[number];

interface Entry {
  readonly key: Key;
  readonly value: string;
  /** 1-based. */
  readonly line: number;
}

/**
 * Reads the leading comment block: lines `-- key: value`, a deeper indent continues the line above, `parameter`,
 * `false positives`, `next steps`, `references` and `origin` may stand several times. The statement itself is never looked at.
 *
 * @throws TrailhoundError `configuration`, naming file and line.
 */
export function parseHunt(sql: string, id: string, file: string): Hunt {
  const fail = (line: number, message: string, hint?: string): never => {
    throw new TrailhoundError('configuration', `${file}:${line}: ${message}`, { hint });
  };
  const entries = readEntries(sql, fail);
  const all = (key: Key) => entries.filter((entry) => entry.key === key);
  const one = (key: Key): Entry => {
    const [entry, second] = all(key);
    if (second !== undefined) fail(second.line, `${key} stands twice`);
    return entry ?? fail(1, `the comment block says no ${key}`, `Add a line "-- ${key}: …" at the top of the file.`);
  };
  const list = (key: Key) => one(key).value.split(/,\s*/);
  const texts = (key: Key) => all(key).map((entry) => entry.value);

  const named = one('id');
  if (named.value !== id) {
    fail(named.line, `id is ${named.value}, but the file's path says ${id}`, 'Make the two equal.');
  }
  const severity = one('severity');
  const mitre = all('mitre').length === 0 ? [] : list('mitre');
  for (const technique of mitre) {
    if (!/^T\d{4}(\.\d{3})?$/.test(technique))
      fail(one('mitre').line, `"${technique}" is no technique's id`, 'Write T1136.003.');
  }
  const parameters = all('parameter').map((entry) => parseParameter(entry, fail));
  for (const required of ['since', 'until']) {
    if (!parameters.some(({ name }) => name === required)) {
      fail(
        1,
        `the hunt has no parameter ${required}`,
        `Every hunt has since and until: add "-- parameter: ${required} interval = …".`,
      );
    }
  }
  return {
    id,
    title: one('title').value,
    severity: isSeverity(severity.value)
      ? severity.value
      : fail(severity.line, `"${severity.value}" is no severity`, `It is one of ${SEVERITIES.join(', ')}.`),
    mitre,
    tables: list('tables'),
    parameters,
    watch: all('watch').length === 0 ? undefined : one('watch').value,
    falsePositives: texts('false positives'),
    nextSteps: texts('next steps'),
    references: texts('references'),
    origin: texts('origin'),
    file,
    sql,
  };
}

type Fail = (line: number, message: string, hint?: string) => never;

function readEntries(sql: string, fail: Fail): readonly Entry[] {
  const entries: Entry[] = [];
  for (const [index, text] of sql.split(/\r?\n/).entries()) {
    const line = index + 1;
    const comment = /^--(.*)$/.exec(text)?.[1];
    if (comment === undefined) break;
    if (comment.trim() === '') continue;
    const continued = /^ {2,}(\S.*)$/.exec(comment)?.[1];
    const last = entries.at(-1);
    if (continued !== undefined) {
      if (last === undefined) return fail(line, 'a continuation of nothing');
      entries[entries.length - 1] = { ...last, value: `${last.value} ${continued.trimEnd()}`.trim() };
      continue;
    }
    const match = /^ ?([a-z ]+?)\s*:\s*(.*?)\s*$/i.exec(comment);
    if (match?.[1] === undefined || match[2] === undefined) {
      return fail(line, 'expected "-- key: value"', `The keys are ${KEYS.join(', ')}.`);
    }
    const name = match[1].toLowerCase();
    const key = KEYS.find((candidate) => candidate === name);
    if (key === undefined) {
      const guess = nearest(name, KEYS);
      return fail(
        line,
        `unknown key ${name}`,
        guess === undefined ? `The keys are ${KEYS.join(', ')}.` : `Did you mean ${guess}?`,
      );
    }
    entries.push({ key, value: match[2], line });
  }
  return entries;
}

/** `since interval = 7 days; how far back to look`, `principal text required; the ARN`, `key text one of required; …` */
function parseParameter({ value, line }: Entry, fail: Fail): HuntParameter {
  const match =
    /^([a-z][a-z0-9_]*)\s+([a-z][a-z0-9_ ]*?(?:\[\])?)\s*(?:=\s*([^;]*?)|\s(one of )?required)\s*;\s*(.+)$/.exec(value);
  const [, name, type, defaultValue, oneOf, description] = match ?? [];
  if (name === undefined || type === undefined || description === undefined) {
    return fail(
      line,
      `"${value}" is no parameter`,
      'Write "-- parameter: since interval = 7 days; how far back to look", or "required" in place of "= 7 days".',
    );
  }
  const required = defaultValue !== undefined ? undefined : oneOf === undefined ? 'always' : 'one of';
  return { name, type, defaultValue, required, description };
}

function isSeverity(value: string): value is Severity {
  return (SEVERITIES as readonly string[]).includes(value);
}
