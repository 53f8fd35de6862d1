import type { CallContext, Page, ScanRequest, ScanSource } from '../../source.ts';
import type { AwsConnection } from '../connection.ts';
import { contradicts } from '../../contradictions.ts';
import { instantOf } from '../../instant-of.ts';
import { isNameOperator } from '../../names.ts';
import { type CompiledCriteria, compileCriteria, describeCriterion } from './criteria.ts';
import { type Place, describePlaces, eachPlace } from '../each-place.ts';
import { limitOf, listDetectors, nextTokenOf } from './detectors.ts';
import { findingRecord } from './finding-record.ts';

/** ListFindings and GetFindings: at most 50 ids. */
const BATCH = 50;
/** Batches of one detector asked for while its next list is. */
const BATCHES_AHEAD = 4;

/**
 * GuardDuty's findings, archived ones too, in every region of every connection. A delegated administrator's detector has
 * those of member accounts, so the detector's account and region never decide whether it is read.
 */
export function guarddutyFindingSource(connections: readonly AwsConnection[]): ScanSource {
  return {
    kind: 'scan',
    plan: ({ predicates }) => {
      const { criterion, pushed } = compileCriteria(predicates);
      const criteria = describeCriterion(criterion);
      return {
        pushed: pushed.map((one) =>
          one.predicate.column.path === '@connection_name' && isNameOperator(one.predicate)
            ? { ...one, exactness: 'exact', as: 'which connections are read' }
            : one,
        ),
        empty: contradicts(predicates),
        parts: describePlaces(connections, predicates).map((place) =>
          criteria === '' ? place : `${place}: ${criteria}`,
        ),
        notices: [],
      };
    },
    scan: (request, context) => scan(connections, request, context),
    close: () => Promise.resolve(),
  };
}

async function* scan(
  connections: readonly AwsConnection[],
  { predicates, limit }: ScanRequest,
  context: CallContext,
): AsyncGenerator<Page, void, undefined> {
  if (contradicts(predicates)) return;
  const { criterion } = compileCriteria(predicates);
  const anywhere = { region: () => true, account: () => true };
  const regions: string[] = [];
  let detectors = 0;
  let missing = limit ?? Number.POSITIVE_INFINITY;
  const pages = eachPlace(connections, predicates, context, anywhere, async function* read(place, partContext) {
    const ids = await listDetectors(place, partContext);
    regions.push(place.region);
    detectors += ids.length;
    for (const id of ids) yield* readFindings(place, id, criterion, limit, partContext);
  });
  for await (const page of pages) {
    yield page.records.length > missing ? { ...page, records: page.records.slice(0, missing) } : page;
    missing -= page.records.length;
    if (missing <= 0) return;
  }
  if (detectors === 0 && regions.length > 0) {
    context.notice(
      'NOTICE',
      `GuardDuty has no detector in ${[...new Set(regions)].join(', ')}: findings exist only where one is enabled`,
    );
  }
}

async function* readFindings(
  place: Place,
  detectorId: string,
  criterion: CompiledCriteria['criterion'],
  limit: number | undefined,
  context: CallContext,
): AsyncGenerator<Page, void, undefined> {
  const { connection, region } = place;
  const client = connection.guardDuty(region);
  const subject = `detector ${detectorId}`;
  const batches: Promise<Page>[] = [];

  const get = async (ids: readonly string[], listed: number): Promise<Page> => {
    const answer = await connection.call(
      context,
      limitOf(place),
      { region, action: 'guardduty:GetFindings', subject },
      (signal) => client.getFindings(detectorId, ids, signal),
    );
    if (answer.findings.length < ids.length) {
      context.notice(
        'WARNING',
        `${ids.length - answer.findings.length} findings in ${region} of connection ${connection.name} were listed and are gone`,
      );
    }
    return {
      records: answer.findings.map((finding) => findingRecord(place, finding)),
      bytes: listed + answer.bytes,
      newest: newestOf(answer.findings),
    };
  };

  let nextToken: string | undefined;
  do {
    const request = { detectorId, criterion, maxResults: Math.min(BATCH, limit ?? BATCH), nextToken };
    const page = await connection.call(
      context,
      limitOf(place),
      { region, action: 'guardduty:ListFindings', subject },
      (signal) => client.listFindings(request, signal),
    );
    if (page.ids.length > 0) {
      const batch = get(page.ids, page.bytes);
      // Its failure is met when its turn comes, or never where the statement stopped before.
      batch.catch(() => {});
      batches.push(batch);
    }
    const [first] = batches;
    if (first !== undefined && batches.length > BATCHES_AHEAD) {
      void batches.shift();
      yield await first;
    }
    nextToken = nextTokenOf(page, nextToken, place, 'guardduty:ListFindings');
  } while (nextToken !== undefined);
  for (const batch of batches) yield await batch;
}

/** When the one that was seen last was. */
function newestOf(findings: readonly Readonly<Record<string, unknown>>[]): number | undefined {
  const instants = findings.flatMap(({ updatedAt }) =>
    typeof updatedAt === 'string' ? (instantOf(updatedAt) ?? []) : [],
  );
  return instants.length === 0 ? undefined : Math.max(...instants);
}
