import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import { sigma } from '../../src/hunts/import/sigma/sigma.ts';
import { LOG_GROUP, openRoad, type Road } from './support/road.ts';

/** What a correlation looks at of an event. Seconds, for times; some events have no user, some come twice. */
interface Event {
  readonly id: string;
  readonly at: number;
  readonly name: string;
  readonly user: string | undefined;
  readonly bytes: number;
}

const NAMES = ['Alpha', 'Beta', 'Gamma', 'Delta'];
const HOUR = 3_600;
/** Of spans that time is divided into. */
const BEGIN = Math.floor(Date.now() / 1_000 / HOUR) * HOUR - 30 * HOUR;
const EVENTS = madeUp(200, 7);

function madeUp(count: number, seed: number): readonly Event[] {
  let state = seed;
  const random = (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
  return Array.from({ length: count }, (_, index) => ({
    id: `e${String(index).padStart(3, '0')}`,
    at: BEGIN + random(300) * 60,
    name: NAMES[random(NAMES.length)] ?? '',
    user: [undefined, 'ann', 'bob', 'eve'][random(4)],
    bytes: random(50),
  }));
}

let road: Road;
let client: Client;

beforeAll(async () => {
  const records = EVENTS.map(({ id, at, name, user, bytes }) => ({
    eventVersion: '1.11',
    eventTime: `${new Date(at * 1_000).toISOString().slice(0, 19)}Z`,
    eventSource: 's3.amazonaws.com',
    eventName: name,
    awsRegion: 'us-east-1',
    sourceIPAddress: '198.51.100.10',
    recipientAccountId: '111122223333',
    eventID: id,
    userIdentity: user === undefined ? { type: 'AWSService' } : { type: 'IAMUser', userName: user },
    requestParameters: { owner: user },
    additionalEventData: { bytes },
  }));
  const events = { records: [...records, ...records.slice(0, 20)], delivery: { maxDelayMs: 0 } };
  const logGroups = [{ name: LOG_GROUP, events }];
  road = await openRoad({
    simulator: { world: { accounts: [{ accountId: '111122223333', regions: [{ name: 'us-east-1', logGroups }] }] } },
  });
  client = await road.connect();
});
afterAll(() => road.close());

const RULES = NAMES.map(
  (name) => `title: ${name}
name: ${name.toLowerCase()}
logsource: { product: aws, service: cloudtrail }
detection: { s: { eventName: ${name} }, condition: s }
---
`,
).join('');

async function found(correlation: string): Promise<readonly string[]> {
  const { hunts, refused } = sigma.read([{ path: 'x.yml', text: `${RULES}${correlation}` }], 'cloudtrail_trail_event');
  expect(refused).toEqual([]);
  const statement = hunts.find(({ title }) => title === 'x')?.statement ?? '';
  const { rows } = await client.query<{ event_id: string }>(statement);
  return rows.map((row) => row.event_id).sort();
}

type Fulfilled = (upTo: Event, within: readonly Event[]) => boolean;

/** The first event of each row of events, less than a span apart, at which a correlation is fulfilled, group by group. */
function expected(events: readonly Event[], seconds: number, fulfilled: Fulfilled): readonly string[] {
  return episodes(matches(events, seconds, fulfilled), seconds);
}

function matches(events: readonly Event[], seconds: number, fulfilled: Fulfilled): readonly Event[] {
  return events.filter(
    (event) =>
      event.user !== undefined &&
      fulfilled(
        event,
        events.filter(({ user, at }) => user === event.user && at <= event.at && at >= event.at - seconds),
      ),
  );
}

function episodes(all: readonly Event[], seconds: number): readonly string[] {
  const sorted = [...all].sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  return sorted
    .filter((event, index) => {
      const before = sorted
        .slice(0, index)
        .filter(({ user }) => user === event.user)
        .at(-1);
      return before === undefined || before.at < event.at - seconds;
    })
    .map(({ id }) => id)
    .sort();
}

const named = (...names: readonly string[]) => EVENTS.filter(({ name }) => names.includes(name));
const distinct = (values: readonly string[]) => new Set(values).size;
const GROUP = 'group-by: [userIdentity.userName]';

describe('events that come together', () => {
  it('are counted', async () => {
    const ids = expected(named('Alpha', 'Beta'), 600, (_, within) => within.length >= 4);
    expect(ids.length).toBeGreaterThan(1);
    expect(
      await found(
        `title: x\ncorrelation: { type: event_count, rules: [alpha, beta], ${GROUP}, timespan: 10m, condition: { gte: 4 } }`,
      ),
    ).toEqual(ids);
  });

  it('are counted by their values', async () => {
    const ids = expected(EVENTS, 900, (_, within) => distinct(within.map(({ name }) => name)) > 3);
    expect(ids.length).toBeGreaterThan(1);
    expect(
      await found(
        `title: x\ncorrelation: { type: value_count, rules: [alpha, beta, gamma, delta], ${GROUP}, timespan: 15m, condition: { field: eventName, gt: 3 } }`,
      ),
    ).toEqual(ids);
  });

  it('are added up', async () => {
    const ids = expected(EVENTS, 600, (_, within) => within.reduce((sum, { bytes }) => sum + bytes, 0) > 150);
    expect(ids.length).toBeGreaterThan(1);
    expect(
      await found(
        `title: x\ncorrelation: { type: value_sum, rules: [alpha, beta, gamma, delta], ${GROUP}, timespan: 10m, condition: { field: additionalEventData.bytes, gt: 150 } }`,
      ),
    ).toEqual(ids);
  });

  it('are all there, in any order, by fields of their own', async () => {
    const ids = expected(
      named('Alpha', 'Beta', 'Gamma'),
      300,
      (_, within) => distinct(within.map(({ name }) => name)) === 3,
    );
    expect(ids.length).toBeGreaterThan(1);
    expect(
      await found(
        `title: x\ncorrelation: { type: temporal, rules: [alpha, beta, gamma], group-by: [user], timespan: 5m, aliases: { user: { alpha: userIdentity.userName, beta: requestParameters.owner, gamma: userIdentity.userName } } }`,
      ),
    ).toEqual(ids);
  });

  it('come in order', async () => {
    const ids = expected(
      named('Alpha', 'Beta', 'Gamma'),
      600,
      (event, within) =>
        event.name === 'Gamma' &&
        within.some(
          (beta) => beta.name === 'Beta' && within.some((alpha) => alpha.name === 'Alpha' && alpha.at <= beta.at),
        ),
    );
    expect(ids.length).toBeGreaterThan(1);
    expect(
      await found(
        `title: x\ncorrelation: { type: temporal_ordered, rules: [alpha, beta, gamma], ${GROUP}, timespan: 10m }`,
      ),
    ).toEqual(ids);
  });

  it('come in order after others that were counted', async () => {
    const many = matches(named('Alpha', 'Beta'), 600, (_, within) => within.length >= 3);
    const ids = expected(named('Gamma'), 1_800, (event) =>
      many.some(({ user, at }) => user === event.user && at <= event.at && at >= event.at - 1_800),
    );
    expect(ids.length).toBeGreaterThan(1);
    expect(
      await found(`title: x
correlation: { type: temporal_ordered, rules: [many, gamma], ${GROUP}, timespan: 30m }
---
title: many
name: many
correlation: { type: event_count, rules: [alpha, beta], ${GROUP}, timespan: 10m, condition: { gte: 3 } }`),
    ).toEqual(ids);
  });

  it('are counted hour by hour where there must not be more', async () => {
    const spans = new Map<string, Event[]>();
    for (const event of named('Alpha', 'Beta')) {
      if (event.user === undefined) continue;
      const key = `${event.user} ${Math.floor(event.at / HOUR)}`;
      spans.set(key, [...(spans.get(key) ?? []), event]);
    }
    const last = (events: readonly Event[]) =>
      [...events].sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1)).at(-1)?.id ?? '';
    const ids = [...spans.values()].filter(({ length }) => length > 3 && length <= 6).map(last);
    expect(ids.length).toBeGreaterThan(1);
    expect(
      await found(
        `title: x\ncorrelation: { type: event_count, rules: [alpha, beta], ${GROUP}, timespan: 1h, condition: { gt: 3, lte: 6 } }`,
      ),
    ).toEqual(ids.sort());
  });

  it('are not of one group', async () => {
    const names = named('Alpha');
    const ids = names.filter((event) => names.filter(({ at }) => at <= event.at && at >= event.at - 600).length >= 3);
    const first = episodes(
      ids.map((event) => ({ ...event, user: 'all' })),
      600,
    );
    expect(first.length).toBeGreaterThan(1);
    expect(
      await found('title: x\ncorrelation: { type: event_count, rules: [alpha], timespan: 10m, condition: { gte: 3 } }'),
    ).toEqual(first);
  });
});

describe('what comes less than a time span after the last match', () => {
  afterAll(() => client.query('reset hunt.since'));

  it.each([
    ['event_count', 'rules: [alpha, beta]', 'condition: { gte: 3 }'],
    ['temporal', 'rules: [alpha, beta]', 'condition: { gte: 2 }'],
  ])('is left out wherever since falls: %s', async (type, rules, condition) => {
    const correlation = `title: x\ncorrelation: { type: ${type}, ${rules}, ${GROUP}, timespan: 20m, ${condition} }`;
    const events = named('Alpha', 'Beta');
    const all = matches(events, 1_200, (_, within) =>
      type === 'temporal' ? distinct(within.map(({ name }) => name)) === 2 : within.length >= 3,
    );
    const first = new Set(episodes(all, 1_200));
    const later = all.filter(({ id }) => !first.has(id));
    expect(later.length).toBeGreaterThan(4);
    for (const { at } of [later[0], later[Math.floor(later.length / 2)], later.at(-1)].map(
      (each) => each ?? { at: 0 },
    )) {
      // Events are whole minutes apart: half of one is more than the statement is late.
      const since = at - 30;
      await client.query(`set hunt.since = '${Math.round(Date.now() / 1_000) - since} seconds'`);
      const expectedIds = all.filter((event) => first.has(event.id) && event.at >= since).map(({ id }) => id);
      expect(await found(correlation)).toEqual(expectedIds.sort());
    }
  });
});

it('says of what group, and how many', async () => {
  const { hunts } = sigma.read(
    [
      {
        path: 'x.yml',
        text: `${RULES}title: x\ncorrelation: { type: event_count, rules: [alpha, beta], ${GROUP}, timespan: 10m, condition: { gte: 4 } }`,
      },
    ],
    'cloudtrail_trail_event',
  );
  const { rows } = await client.query<{ detail: unknown }>(hunts.find(({ title }) => title === 'x')?.statement ?? '');
  expect(rows[0]?.detail).toMatchObject({
    correlation: {
      type: 'event_count',
      timespan: '10m',
      measure: 4,
      group: { 'userIdentity.userName': expect.any(String) as string },
    },
  });
});
