import { describe, expect, test } from 'vitest';
import { RawPage } from './raw-page.ts';

const page = (value: unknown) => new RawPage(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)));

/** A message that looks like the answer around it. */
const MESSAGE = JSON.stringify({ nextToken: 'none', timestamp: 7, text: '"nextToken":"none" "timestamp":7' });

describe('what is known of a page before it is parsed', () => {
  test('its token and the times of its first and last event, whatever messages hold', () => {
    const events = [3, 4, 9].map((timestamp) => ({ message: MESSAGE, timestamp, eventId: '1' }));
    for (const value of [
      { events, nextToken: 'f/"\\é' },
      { nextToken: 'f/"\\é', events },
    ]) {
      const one = page(value);
      expect(one.nextToken).toBe('f/"\\é');
      expect(one.span()).toEqual({ first: 3, last: 9 });
      expect(one.events()).toEqual(events);
    }
    expect(page(JSON.stringify({ events, nextToken: 'f' }, null, 2)).nextToken).toBe('f');
  });

  test.each([{ events: [{ message: MESSAGE }] }, { events: [], nextToken: null }, { nextToken: '' }, {}])(
    'no token, no times: %o',
    (value) => {
      expect(page(value).nextToken).toBeUndefined();
      expect(page({ events: [] }).span()).toBeUndefined();
    },
  );

  test('a token as long as any', () => {
    const nextToken = 'x'.repeat(40_000);
    expect(page({ events: [], nextToken }).nextToken).toBe(nextToken);
  });
});

test('what is no answer fails at once or when it is parsed', () => {
  expect(() => page('<html>')).toThrow(SyntaxError);
  expect(() => page('')).toThrow(SyntaxError);
  expect(() => page('{"events":[')).toThrow(SyntaxError);
  expect(() => page('{"events":"}').events()).toThrow(SyntaxError);
  expect(() => page({ events: 3 }).events()).toThrow(SyntaxError);
});
