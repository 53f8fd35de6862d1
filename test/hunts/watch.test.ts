import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { findHunt, loadHunts } from '../../src/hunts/hunt-library.ts';
import type { Hunt } from '../../src/hunts/hunt.ts';
import { connectSql } from '../../src/hunts/sql-client.ts';
import { parseDestination } from '../../src/hunts/watch/destination.ts';
import type { WatchedOutcome } from '../../src/hunts/watch/run-watched-hunt.ts';
import { watchHunts, type WatchRequest } from '../../src/hunts/watch/watch-hunts.ts';
import type { Clock } from '../../src/kernel/clock.ts';
import type { World } from '../../src/simulator/world.ts';
import { ManualClock } from '../hydrate/support/manual-clock.ts';
import { worldOf, type Fixture } from '../queries/fixture.ts';
import { openRoad, type Road } from '../roads/support/road.ts';
import { FakeSlack } from './support/fake-slack.ts';

const LIBRARY = loadHunts([]);
const CALLS = findHunt(LIBRARY, 'cloudtrail/sensitive-calls');
const FINDINGS = findHunt(LIBRARY, 'guardduty/finding-reputation');

let road: Road;
let slack: FakeSlack;
beforeAll(async () => {
  road = await openRoad({ simulator: { world: { accounts: [] } } });
});
afterAll(() => road.close());
beforeEach(async () => {
  slack = await FakeSlack.start();
  await road.with((client) => client.query('delete from trailhound.hunt_watch'));
});
afterEach(() => slack.close());

const EMPTY: Fixture = {
  record: {},
  match: [],
  other: [],
  finding: {},
  matching_findings: [],
  other_findings: [],
  addresses: {},
  parameters: {},
  detector: {},
};

const worldWith = (fixture: Partial<Fixture>): World => worldOf({ ...EMPTY, ...fixture }, new Date());

const call = (eventID: string, minutesAgo: number) => ({
  eventSource: 'iam.amazonaws.com',
  eventName: 'CreateUser',
  eventID,
  minutesAgo,
});

interface Told {
  readonly outcomes: WatchedOutcome[];
  readonly failures: string[];
}

/** One round as a process of its own would run it: nothing is kept between two but what the engine keeps. */
async function round(hunts: readonly Hunt[], more: Partial<WatchRequest> = {}): Promise<Told> {
  const told: Told = { outcomes: [], failures: [] };
  const { host, port, database, password } = road.endpoint;
  await watchHunts({
    hunts,
    parameters: {},
    known: [],
    isOverridden: () => false,
    destinations: [parseDestination(`slack:${slack.url}`)],
    everyMs: undefined,
    connect: async () => {
      const client = await connectSql(
        { host, port, database, password, user: 'trailhound', tls: false },
        () => undefined,
      );
      await client.rows('set trailhound.cache to off');
      return client;
    },
    report: {
      outcome: (_hunt, outcome) => {
        told.outcomes.push(outcome);
        return Promise.resolve();
      },
      notDelivered: (_hunt, error) => void told.failures.push(error.message),
      outage: (error) => void told.failures.push(String(error)),
    },
    clock: impatient(),
    signal: new AbortController().signal,
    ...more,
  });
  return told;
}

/** Time that passes as soon as somebody waits for it. */
function impatient(): Clock {
  let now = Date.now();
  return {
    now: () => now,
    schedule: (ms, callback) => {
      now += ms;
      const timer = setImmediate(callback);
      return () => clearImmediate(timer);
    },
  };
}

/** The ids that Slack was told, one array a message. */
const toldIds = () =>
  slack.messages.map(({ blocks }) =>
    blocks.flatMap((block) =>
      block.type === 'section' ? (block.fields ?? []).flatMap(({ text }) => /^Event\n(.*)$/.exec(text)?.[1] ?? []) : [],
    ),
  );

it('tells each event once, over processes, and one that is delivered late as well', async () => {
  await road.simulator.load(worldWith({ match: [call('a', 60), call('b', 3 * 24 * 60)] }));
  await round([CALLS]);
  await round([CALLS]);
  // Older than all that was told before, and than the last round.
  await road.simulator.load(worldWith({ match: [call('a', 60), call('c', 90), call('b', 3 * 24 * 60)] }));
  await round([CALLS]);
  expect(toldIds()).toEqual([['a', 'b'], ['c']]);
});

it('tells a finding again once its count has grown', async () => {
  const finding = (Count: number) =>
    worldWith({ matching_findings: [{ Id: 'f', Type: 'Recon:EC2/Portscan', Severity: 8, Service: { Count } }] });
  await road.simulator.load(finding(1));
  await round([FINDINGS]);
  await round([FINDINGS]);
  await road.simulator.load(finding(2));
  await round([FINDINGS]);
  expect(toldIds()).toEqual([['f'], ['f']]);
});

it('looks back over the time in which it did not run, and a day more', async () => {
  await road.simulator.load(worldWith({ match: [call('d', 60)] }));
  await round([CALLS], { parameters: { since: '2 hours' } });
  await road.with((client) =>
    client.query(`update trailhound.hunt_watch set searched_at = now() - interval '3 days', run_at = searched_at`),
  );
  await road.simulator.load(worldWith({ match: [call('d', 60), call('e', 3.5 * 24 * 60), call('f', 5 * 24 * 60)] }));
  await round([CALLS]);
  expect(toldIds()).toEqual([['d'], ['e']]);
});

it('tells rows again that Slack has not taken, in the next round', async () => {
  await road.simulator.load(worldWith({ match: [call('g', 60)] }));
  slack.answer([404, 'no_service']);
  const { failures } = await round([CALLS]);
  expect(failures).toEqual(['slack refuses the notification: HTTP status 404 no_service']);
  await round([CALLS]);
  expect(toldIds()).toEqual([['g']]);
});

it('prints rows and tells them once to whoever takes them, and to another destination once that does', async () => {
  await road.simulator.load(worldWith({ match: [call('m', 60)] }));
  const other = await FakeSlack.start();
  other.answer([404, 'no_service'], [404, 'no_service']);
  const destinations = [slack, other].map(({ url }) => parseDestination(`slack:${url}`));
  const rounds: Told[] = [];
  for (let count = 0; count < 4; count += 1) rounds.push(await round([CALLS], { destinations }));
  await other.close();
  const printed = rounds.map(({ outcomes: [outcome] }) => (outcome?.kind === 'ran' ? outcome.found.fresh.size : -1));
  expect(printed).toEqual([1, 0, 0, 0]);
  expect(rounds.map(({ failures }) => failures.length)).toEqual([1, 1, 0, 0]);
  expect(toldIds()).toEqual([['m']]);
  expect(other.messages).toHaveLength(1);
});

it('prints before it tells', async () => {
  await road.simulator.load(worldWith({ match: [call('n', 60)] }));
  const answer = slack.hold();
  const order: string[] = [];
  const running = round([CALLS], {
    report: {
      outcome: () => Promise.resolve(void order.push(`printed before ${slack.requests} requests`)),
      notDelivered: (_hunt, error) => void order.push(error.message),
      outage: (error) => void order.push(String(error)),
    },
  });
  await slack.came(1);
  answer();
  await running;
  expect(order).toEqual(['printed before 0 requests']);
});

it('looks back over more than a week in which it did not run, whatever else did', async () => {
  await road.simulator.load(worldWith({ match: [call('o', 60)] }));
  await round([CALLS], { parameters: { since: '2 hours' } });
  await road.with((client) =>
    client.query(`
      update trailhound.hunt_watch set searched_at = now() - interval '20 days', run_at = now() - interval '20 days'`),
  );
  await round([FINDINGS]);
  await road.simulator.load(worldWith({ match: [call('o', 60), call('p', 19 * 24 * 60)] }));
  await round([CALLS]);
  expect(toldIds()).toEqual([['o'], ['p']]);
});

it('runs a hunt once that is named twice', async () => {
  await road.simulator.load(worldWith({ match: [call('q', 60)] }));
  const { outcomes } = await round([CALLS, CALLS]);
  expect(outcomes.map(({ kind }) => kind)).toEqual(['ran']);
});

it('tells a failure once, goes on with the other hunts, and says when it is over', async () => {
  await road.simulator.load(worldWith({ match: [call('h', 60)] }));
  const broken: Hunt = { ...FINDINGS, sql: 'select 1 / 0' };
  const first = await round([broken, CALLS]);
  expect(first.outcomes.map(({ kind }) => kind)).toEqual(['failed', 'ran']);
  await round([broken, CALLS]);
  await round([FINDINGS]);
  await round([FINDINGS]);
  expect(slack.messages.map(({ text }) => text)).toEqual([
    'Hunt fails: guardduty/finding-reputation: division by zero',
    expect.stringMatching(/^MEDIUM: .* \(1 new\)$/),
    'Hunt runs again: guardduty/finding-reputation',
  ]);
});

it('leaves a hunt alone that another process runs', async () => {
  await road.simulator.load(worldWith({ match: [call('i', 60)] }));
  const answer = slack.hold();
  const first = round([CALLS]);
  await slack.came(1);
  const second = await round([CALLS]);
  answer();
  await first;
  expect(second.outcomes).toEqual([{ kind: 'claimed' }]);
  expect(toldIds()).toEqual([['i']]);
});

it('forgets what no run has found for a week, and the rows of a watch that nobody runs for a month', async () => {
  await road.simulator.load(worldWith({ match: [call('j', 60)] }));
  await round([CALLS]);
  await road.with((client) =>
    client.query(`
      insert into trailhound.hunt_watch (watch, hunt, run_at) values ('nobody', 'x', now() - interval '31 days');
      insert into trailhound.hunt_row select 'nobody', 'x', now();
      insert into trailhound.hunt_row
      select watch, 'gone', now() - interval '8 days' from trailhound.hunt_watch where watch <> 'nobody';
      update trailhound.hunt_row set found_at = now() - interval '8 days'`),
  );
  await round([CALLS]);
  const kept = await road.with(async (client) => {
    const { rows } = await client.query(
      `select hunt, key, found_at > now() - interval '1 hour' as is_recent
       from trailhound.hunt_row join trailhound.hunt_watch using (watch)`,
    );
    return rows as unknown[];
  });
  // What was printed, and what Slack was told.
  const row = { hunt: CALLS.id, key: expect.any(String) as string, is_recent: true };
  expect(kept).toEqual([row, row]);
  expect(toldIds()).toEqual([['j']]);
});

it('sums up where there are many', async () => {
  await road.simulator.load(worldWith({ match: Array.from({ length: 30 }, (_, index) => call(`k${index}`, 60)) }));
  await round([CALLS]);
  expect(slack.messages.map(({ text }) => text)).toEqual([expect.stringMatching(/\(30 new\)$/)]);
});

it('runs round by round until it is ended, tells once that the server is gone, and that it is back', async () => {
  await road.simulator.load(worldWith({ match: [call('l', 60)] }));
  const clock = new ManualClock();
  const controller = new AbortController();
  const { host, port, database, password } = road.endpoint;
  const connections: string[] = [];
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  const gone = [false, true, true, false, false];
  const watching = round([CALLS], {
    everyMs: 300_000,
    clock,
    signal: controller.signal,
    connect: async () => {
      const isGone = gone[connections.length] ?? false;
      connections.push(isGone ? 'refused' : 'made');
      if (connections.length === gone.length) queueMicrotask(() => controller.abort(new Error('enough')));
      if (isGone) throw refused;
      const client = await connectSql(
        { host, port, database, password, user: 'trailhound', tls: false },
        () => undefined,
      );
      // What was kept of another test's events is none of these.
      await client.rows('set trailhound.cache to off');
      return client;
    },
  });
  const state = { ended: false };
  const end = watching.catch((error: unknown) => error).finally(() => (state.ended = true));
  while (!state.ended) await clock.advance(1_000);
  expect(await end).toEqual(new Error('enough'));
  expect(connections).toEqual(['made', 'refused', 'refused', 'made', 'made']);
  expect(slack.messages.map(({ text }) => text)).toEqual([
    expect.stringMatching(/\(1 new\)$/),
    'Hunts cannot run: connect ECONNREFUSED',
    'Hunts run again',
  ]);
  expect(slack.messages[1]?.blocks[1]).toMatchObject({ text: { text: 'connect ECONNREFUSED (08006)' } });
});
