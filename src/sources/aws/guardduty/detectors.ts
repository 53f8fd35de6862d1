import type { CallContext, RateLimit } from '../../source.ts';
import { SourceError } from '../../source.ts';
import type { Place } from '../each-place.ts';

/** GuardDuty's limits are not published; what the console uses is a handful. */
const CONCURRENCY = 5;

export async function listDetectors(place: Place, context: CallContext): Promise<readonly string[]> {
  const { connection, region } = place;
  const ids: string[] = [];
  let nextToken: string | undefined;
  do {
    const token = nextToken;
    const page = await connection.call(
      context,
      limitOf(place),
      { region, action: 'guardduty:ListDetectors' },
      (signal) => connection.guardDuty(region).listDetectors(token, signal),
    );
    ids.push(...page.ids);
    nextToken = nextTokenOf(page, nextToken, place, 'guardduty:ListDetectors');
  } while (nextToken !== undefined);
  return ids;
}

export function limitOf({ connection, region, accountId }: Place): RateLimit {
  return { key: `guardduty:${accountId ?? connection.name}:${region}`, concurrency: CONCURRENCY };
}

/** A list that hands out the same token again would never end. */
export function nextTokenOf(
  page: { readonly nextToken: string | undefined },
  last: string | undefined,
  { connection, region }: Place,
  action: string,
): string | undefined {
  if (page.nextToken === undefined || page.nextToken !== last) return page.nextToken;
  throw new SourceError(
    'nonsense',
    connection.name,
    `guardduty in ${region} answers the same page token again and again`,
    {
      detail: `Connection ${connection.name} tried ${action} in ${region}.`,
      hint: 'Run the statement again.',
    },
  );
}
