import { expect, test } from 'vitest';
import { createLogger } from './log.ts';

function lines(level: Parameters<typeof createLogger>[0]) {
  const written: string[] = [];
  return { written, log: createLogger(level, { write: (line) => void written.push(line) }) };
}

test('a line is JSON with a time, and nothing below the level is written', () => {
  const { written, log } = lines('info');
  log.debug('not this');
  log.info({ table: 't' }, 'read');
  expect(written).toHaveLength(1);
  expect(JSON.parse(written[0] ?? '')).toMatchObject({
    level: 30,
    table: 't',
    msg: 'read',
    time: expect.stringMatching(/Z$/) as string,
  });
});

test('secrets are hidden at the top and one level below it', () => {
  const { written, log } = lines('info');
  log.info({
    password: 'hunter2',
    connection: { name: 'feed', apiKey: 'hunter2' },
    headers: { authorization: 'hunter2' },
  });
  expect(written.join()).not.toContain('hunter2');
  expect(written.join()).toContain('feed');
});
