import { LeftOut } from '../left-out.ts';
import { mergeParts } from '../merge-parts.ts';
import { nameTest } from '../names.ts';
import { partitionOf } from '../regions.ts';
import type { CallContext, Page, Predicate } from '../source.ts';
import type { AwsConnection } from './connection.ts';

/** A service in one region, as one connection sees it. */
export interface Place {
  readonly connection: AwsConnection;
  readonly region: string;
  readonly partition: string;
  readonly accountId: string | undefined;
}

/** One line a connection that the predicates leave, for EXPLAIN. */
export function describePlaces(
  connections: readonly AwsConnection[],
  predicates: readonly Predicate[],
): readonly string[] {
  const isConnectionWanted = nameTest(predicates, '@connection_name');
  return connections
    .filter(({ name }) => isConnectionWanted(name))
    .map(({ name, regionPatterns }) => `connection ${name}, ${regionPatterns?.join(', ') ?? 'enabled regions'}`);
}

/** Regions asked at once by one statement. */
export const CONCURRENT_REGIONS = 16;

/** By the source's own paths; those of the rows may be another's (a finding's region and account). */
export interface WantedPlaces {
  readonly region: (name: string) => boolean;
  readonly account: (id: string) => boolean;
}

/** Every region of every connection; the connections' failures are all told. */
export async function placesOf(
  connections: readonly AwsConnection[],
  predicates: readonly Predicate[],
  context: CallContext,
  wanted: WantedPlaces,
): Promise<readonly Place[]> {
  const isConnectionWanted = nameTest(predicates, '@connection_name');
  const accounts = new LeftOut(context);
  const lookups = connections
    .filter(({ name }) => isConnectionWanted(name))
    .map((connection) =>
      accounts.of<readonly Place[]>(connection.name, async function* lookup(partContext) {
        const regions = (await connection.regions(partContext)).filter(wanted.region);
        if (regions.length === 0) return;
        const accountId = await connection.accountId(partContext);
        if (accountId !== undefined && !wanted.account(accountId)) return;
        yield regions.map((region) => ({ connection, region, partition: partitionOf(region), accountId }));
      }),
    );
  const places: Place[] = [];
  const options = { concurrency: Number.POSITIVE_INFINITY, tolerate: accounts.tolerate };
  for await (const found of mergeParts(lookups, context, options)) places.push(...found);
  accounts.report(lookups.length, 'connections');
  for (const name of new Set(places.map(({ connection }) => connection.name))) {
    const own = places.filter(({ connection }) => connection.name === name);
    context.searched?.(`${own.map(({ region }) => region).join(', ')} of connection ${name}`);
  }
  return places;
}

/** Reads them all at once; the regions' own failures are all told, too. */
export async function* eachPlace(
  connections: readonly AwsConnection[],
  predicates: readonly Predicate[],
  context: CallContext,
  wanted: WantedPlaces,
  read: (place: Place, context: CallContext) => AsyncGenerator<Page, void, undefined>,
): AsyncGenerator<Page, void, undefined> {
  const places = await placesOf(connections, predicates, context, wanted);
  const regions = new LeftOut(context);
  const parts = places.map((place) =>
    regions.of<Page>(`${place.region} of ${place.connection.name}`, (partContext) => read(place, partContext)),
  );
  yield* mergeParts(parts, context, { concurrency: CONCURRENT_REGIONS, tolerate: regions.tolerate });
  regions.report(parts.length, 'regions');
}
