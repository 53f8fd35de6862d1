import type { Account, LogGroup, Region, World } from '../world.ts';
import type { EventStore } from './event-store.ts';
import { loadEvents } from './loaded-events.ts';
import { SyntheticEvents } from './synthetic-events.ts';

/** A log group of the world with its events at hand. */
export interface LoadedLogGroup {
  readonly name: string;
  /** Without `:*`. */
  readonly arn: string;
  /** Milliseconds since the epoch. */
  readonly creationTime: number;
  readonly store: EventStore;
}

/** By account and region; groups ordered by name, as DescribeLogGroups lists them. */
export class LogGroups {
  readonly #groups: ReadonlyMap<string, readonly LoadedLogGroup[]>;

  constructor(groups: ReadonlyMap<string, readonly LoadedLogGroup[]>) {
    this.#groups = groups;
  }

  static async load(world: World): Promise<LogGroups> {
    const groups = new Map<string, readonly LoadedLogGroup[]>();
    let serial = 0;
    for (const account of world.accounts) {
      for (const region of account.regions) {
        const loaded: LoadedLogGroup[] = [];
        for (const group of region.logGroups ?? []) loaded.push(await loadGroup(account, region, group, (serial += 1)));
        groups.set(
          keyOf(account, region),
          loaded.sort((a, b) => (a.name < b.name ? -1 : 1)),
        );
      }
    }
    return new LogGroups(groups);
  }

  of(account: Account, region: Region): readonly LoadedLogGroup[] {
    return this.#groups.get(keyOf(account, region)) ?? [];
  }
}

function keyOf(account: Account, region: Region): string {
  return `${account.accountId}/${region.name}`;
}

async function loadGroup(account: Account, region: Region, group: LogGroup, serial: number): Promise<LoadedLogGroup> {
  // CloudTrail names its streams so, with _2, _3 … for further ones.
  const streamName = (stream: number): string =>
    `${account.accountId}_CloudTrail_${region.name}${stream === 0 ? '' : `_${stream + 1}`}`;
  const store =
    'synthetic' in group.events
      ? new SyntheticEvents(group.events.synthetic, serial, account.accountId, region.name, streamName(0))
      : await loadEvents(group.events, serial, streamName);
  return {
    name: group.name,
    arn: `arn:aws:logs:${region.name}:${account.accountId}:log-group:${group.name}`,
    creationTime: store.size === 0 ? 0 : store.timestamp(0),
    store,
  };
}
