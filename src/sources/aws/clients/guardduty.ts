import { sendExact, sendRaw } from '../send-raw.ts';
import { onFirstUse } from './on-first-use.ts';
import { type ClientOptions, sdkConfiguration } from './options.ts';

/** https://docs.aws.amazon.com/guardduty/latest/APIReference/API_Condition.html, in the SDK's spelling. */
export interface Condition {
  Equals?: string[];
  NotEquals?: string[];
  GreaterThanOrEqual?: number;
  LessThanOrEqual?: number;
}

export type Criterion = Readonly<Record<string, Condition>>;

/** Bodies are as on the wire, in camelCase, numbers of findings and detectors as they were written; throws SyntaxError where one is not what the API says. */
export interface GuardDuty {
  listDetectors(nextToken: string | undefined, signal: AbortSignal): Promise<IdPage>;
  getDetector(detectorId: string, signal: AbortSignal): Promise<Body>;
  listFindings(request: ListFindingsRequest, signal: AbortSignal): Promise<IdPage>;
  /** In any order; an id that exists no more is left out. */
  getFindings(detectorId: string, ids: readonly string[], signal: AbortSignal): Promise<Findings>;
  destroy(): void;
}

export interface ListFindingsRequest {
  readonly detectorId: string;
  readonly criterion: Criterion;
  readonly maxResults: number;
  readonly nextToken?: string | undefined;
}

export interface IdPage {
  readonly ids: readonly string[];
  readonly nextToken: string | undefined;
  readonly bytes: number;
}

export interface Body {
  readonly value: Readonly<Record<string, unknown>>;
  readonly bytes: number;
}

export interface Findings {
  readonly findings: readonly Readonly<Record<string, unknown>>[];
  readonly bytes: number;
}

/** The API's own limit for both lists. */
const MAX_RESULTS = 50;

export function guardDutyClient(options: ClientOptions): GuardDuty {
  const sdk = onFirstUse(async () => {
    const { GuardDutyClient, ...commands } = await import('@aws-sdk/client-guardduty');
    return { client: new GuardDutyClient(sdkConfiguration(options)), ...commands };
  });
  return {
    listDetectors: async (nextToken, signal) => {
      const { client, ListDetectorsCommand } = await sdk.get();
      const answer = await sendRaw(
        new ListDetectorsCommand({ MaxResults: MAX_RESULTS, NextToken: nextToken }),
        (command) => client.send(command, { abortSignal: signal }),
      );
      return idPage(answer, 'detectorIds');
    },
    getDetector: async (detectorId, signal) => {
      const { client, GetDetectorCommand } = await sdk.get();
      const answer = await sendExact(new GetDetectorCommand({ DetectorId: detectorId }), (command) =>
        client.send(command, { abortSignal: signal }),
      );
      return { value: asObject(answer.value), bytes: answer.bytes };
    },
    listFindings: async (request, signal) => {
      const { client, ListFindingsCommand } = await sdk.get();
      const command = new ListFindingsCommand({
        DetectorId: request.detectorId,
        MaxResults: request.maxResults,
        NextToken: request.nextToken,
        ...(Object.keys(request.criterion).length > 0 && { FindingCriteria: { Criterion: { ...request.criterion } } }),
      });
      const answer = await sendRaw(command, (sent) => client.send(sent, { abortSignal: signal }));
      return idPage(answer, 'findingIds');
    },
    getFindings: async (detectorId, ids, signal) => {
      const { client, GetFindingsCommand } = await sdk.get();
      const answer = await sendExact(
        new GetFindingsCommand({ DetectorId: detectorId, FindingIds: [...ids] }),
        (command) => client.send(command, { abortSignal: signal }),
      );
      const { findings } = asObject(answer.value);
      if (!Array.isArray(findings)) throw new SyntaxError('no list of findings');
      return { findings: findings.map(asObject), bytes: answer.bytes };
    },
    destroy: () => sdk.ifUsed(({ client }) => client.destroy()),
  };
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new SyntaxError('not an object');
  return value as Record<string, unknown>;
}

function idPage(answer: { readonly value: unknown; readonly bytes: number }, field: string): IdPage {
  const body = asObject(answer.value);
  const ids = body[field];
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === 'string')) throw new SyntaxError('no list of ids');
  // GuardDuty's last page has an empty token.
  const { nextToken } = body;
  return {
    ids,
    nextToken: typeof nextToken === 'string' && nextToken !== '' ? nextToken : undefined,
    bytes: answer.bytes,
  };
}
