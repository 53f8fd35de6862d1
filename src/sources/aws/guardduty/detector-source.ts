import type { CallContext, Page, Predicate, Pushed, ScanRequest, ScanSource, SourceRecord } from '../../source.ts';
import type { AwsConnection } from '../connection.ts';
import { contradicts } from '../../contradictions.ts';
import { isNameOperator, nameTest } from '../../names.ts';
import { type Place, describePlaces, eachPlace } from '../each-place.ts';
import { limitOf, listDetectors } from './detectors.ts';

const PRUNING = new Set(['@detector_id', '@region', '@account_id', '@connection_name']);

/** GuardDuty's detectors: ListDetectors and GetDetector in every region of every connection. */
export function guarddutyDetectorSource(connections: readonly AwsConnection[]): ScanSource {
  return {
    kind: 'scan',
    plan: ({ predicates }) => ({
      pushed: predicates.map(pushedAs),
      empty: contradicts(predicates),
      parts: describePlaces(connections, predicates),
      notices: [],
    }),
    scan: (request, context) => scan(connections, request, context),
    close: () => Promise.resolve(),
  };
}

function pushedAs(predicate: Predicate): Pushed {
  const prunes = PRUNING.has(predicate.column.path ?? '') && isNameOperator(predicate);
  return { predicate, exactness: prunes ? 'inexact' : 'none', ...(prunes && { as: 'which detectors are read' }) };
}

async function* scan(
  connections: readonly AwsConnection[],
  { predicates }: ScanRequest,
  context: CallContext,
): AsyncGenerator<Page, void, undefined> {
  if (contradicts(predicates)) return;
  const isDetectorWanted = nameTest(predicates, '@detector_id');
  const wanted = { region: nameTest(predicates, '@region'), account: nameTest(predicates, '@account_id') };
  yield* eachPlace(connections, predicates, context, wanted, async function* read(place, partContext) {
    const { connection, region } = place;
    for (const detectorId of await listDetectors(place, partContext)) {
      if (!isDetectorWanted(detectorId)) continue;
      const call = { region, action: 'guardduty:GetDetector', subject: `detector ${detectorId}` };
      const { value, bytes } = await connection.call(partContext, limitOf(place), call, (signal) =>
        connection.guardDuty(region).getDetector(detectorId, signal),
      );
      yield { records: [recordOf(place, detectorId, value)], bytes };
    }
  });
}

function recordOf(
  { connection, region, partition, accountId }: Place,
  detectorId: string,
  value: unknown,
): SourceRecord {
  return {
    value,
    added: {
      detector_id: detectorId,
      // https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonguardduty.html
      arn:
        accountId === undefined
          ? undefined
          : `arn:${partition}:guardduty:${region}:${accountId}:detector/${detectorId}`,
      partition,
      region,
      account_id: accountId,
      connection_name: connection.name,
    },
    origin: () => `detector ${detectorId} in ${region}`,
  };
}
