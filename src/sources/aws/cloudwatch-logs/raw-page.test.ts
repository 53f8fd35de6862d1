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
      expect([...one.events()].flat()).toEqual(events);
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

describe('a long list of events comes in pieces', () => {
  /** A megabyte, which is more than a piece. */
  const many = (message: (index: number) => string) =>
    Array.from({ length: 1_000 }, (_, index) => ({ message: message(index).padEnd(1_000, 'ü'), timestamp: index }));

  test.each([
    { events: many(() => MESSAGE) },
    {
      events: many(() => MESSAGE),
      nextToken: 'f',
      searchedLogStreams: [{ logStreamName: 'a' }, { logStreamName: 'b' }],
    },
    { searchedLogStreams: [{ logStreamName: 'a' }, { logStreamName: 'b' }], events: many(() => MESSAGE) },
  ])('of which none is large', (value) => {
    const pieces = [...page(value).events()];
    expect(pieces.flat()).toEqual(value.events);
    expect(pieces.length).toBeGreaterThan(10);
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(100);
  });

  test.each(['},{', '}],', '"},{"', '}],"', '}]}', '[{},{}]', '\\'])('messages that end with %s stay whole', (end) => {
    for (const rest of [{}, { nextToken: 'f' }]) {
      const events = many(() => MESSAGE).map((event) => ({ ...event, message: event.message + end }));
      expect([...page({ events, ...rest }).events()].flat()).toEqual(events);
      const reordered = events.map(({ message, timestamp }) => ({ timestamp, message }));
      expect([...page({ events: reordered, ...rest }).events()].flat()).toEqual(reordered);
    }
  });

  test('as a whole where it is laid out otherwise', () => {
    const events = many(() => MESSAGE);
    expect([...page(JSON.stringify({ events, nextToken: 'f' }, null, 1)).events()]).toEqual([events]);
    const nested = events.map((event) => ({ ...event, parts: [{ a: 1 }, { a: 2 }] }));
    expect([...page({ events: nested }).events()].flat()).toEqual(nested);
  });
});

test('what is no answer fails at once or when it is parsed', () => {
  expect(() => page('<html>')).toThrow(SyntaxError);
  expect(() => page('')).toThrow(SyntaxError);
  expect(() => page('{"events":[')).toThrow(SyntaxError);
  for (const value of ['{"events":"}', { events: 3 }, '{"events":[]]}', '{"events":[{"message":"x"}],"nextToken":}']) {
    expect(() => [...page(value).events()]).toThrow(SyntaxError);
  }
});
