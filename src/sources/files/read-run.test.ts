import { expect, test } from 'vitest';
import { SourceError } from '../source.ts';
import type { QueuedFile } from './file-queue.ts';
import type { RunPiece } from './file-run.ts';
import type { FileParser } from './parse-files.ts';
import { readRun } from './read-run.ts';

const files = ['a', 'b', 'c', 'd'].map((name): QueuedFile => ({
  kind: 'local',
  connection: { name: 'evidence', paths: [], deliverySlackMs: 'none' },
  path: `/${name}.json`,
}));
const NOTHING: RunPiece = { found: [], copied: undefined, replaced: 0, stored: 1, ended: 0, isLast: false };
const parserOf = (pieces: () => AsyncGenerator<RunPiece>) => ({ parse: pieces }) as unknown as FileParser;

async function troublesOf(pieces: () => AsyncGenerator<RunPiece>): Promise<readonly string[]> {
  const told: string[] = [];
  const troubles = {
    unreadable: (error: SourceError) => void told.push(error.message),
    replaced: () => undefined,
    eventless: () => undefined,
  };
  const reading = readRun(files, parserOf(pieces), troubles, new AbortController().signal);
  while ((await reading.next()).done !== true);
  return told;
}

test('where a thread ends early, each file that it was not done with is told', async () => {
  const told = await troublesOf(async function* () {
    yield { ...NOTHING, ended: 2 };
    throw new Error('the thread that parsed it has ended');
  });
  expect(told.map((message) => message.slice(0, 21))).toEqual(['cannot read /c.json: ', 'cannot read /d.json: ']);
});

test('a file that fails is told by its name, and the others go on', async () => {
  const failure = Object.assign(new Error('gone'), { code: 'ENOENT' });
  const told = await troublesOf(async function* () {
    yield {
      ...NOTHING,
      found: [{ file: 1, records: [], malformed: [], eventless: undefined, failure }],
      ended: 4,
      isLast: true,
    };
  });
  expect(told).toEqual(['cannot read /b.json: it does not exist']);
});

test('what fails the statement ends the reading', async () => {
  let ended = false;
  const refusal = new SourceError('nonsense', 'evidence', 'refused');
  const pieces = parserOf(async function* () {
    try {
      yield {
        ...NOTHING,
        found: [{ file: 0, records: [], malformed: [], eventless: undefined, failure: new Error('x') }],
        ended: 1,
      };
    } finally {
      ended = true;
    }
  });
  const troubles = {
    unreadable: () => {
      throw refusal;
    },
    replaced: () => undefined,
    eventless: () => undefined,
  };
  const reading = readRun(files, pieces, troubles, new AbortController().signal);
  await expect(reading.next()).rejects.toBe(refusal);
  expect(ended).toBe(true);
});
