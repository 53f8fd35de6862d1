import { restJson } from '../aws/aws-error.ts';
import { callerOf } from '../aws/caller.ts';
import { decodeToken, encodeToken, queryId } from '../aws/page-token.ts';
import { Parameters } from '../aws/parameters.ts';
import type { Operation, Service, ServiceRequest, ServiceResponse } from '../service.ts';
import type { Account, Detector, Region, World } from '../world.ts';
import { compileCriteria, invalid, nodesOf } from './criteria.ts';
import type { CriteriaOptions } from './criteria.ts';
import { describeDetector } from './describe-detector.ts';
import { loadFindings } from './load-findings.ts';
import type { WireFinding } from './load-findings.ts';

/** Both ListFindings' page and GetFindings' request. */
const MAX_IDS = 50;
const PATH = /^\/detector(?:\/([^/]+)(\/findings(?:\/get)?)?)?$/;

/** Amazon GuardDuty, API version 2017-11-28, REST-JSON in camelCase. */
export class GuardDuty implements Service {
  readonly name = 'guardduty';
  readonly #world: World;
  readonly #findings: ReadonlyMap<Detector, readonly WireFinding[]>;
  readonly #options: CriteriaOptions;

  private constructor(world: World, findings: ReadonlyMap<Detector, readonly WireFinding[]>, options: CriteriaOptions) {
    this.#world = world;
    this.#findings = findings;
    this.#options = options;
  }

  static async load(world: World, options: CriteriaOptions): Promise<GuardDuty> {
    const findings = new Map<Detector, readonly WireFinding[]>();
    for (const detector of world.accounts.flatMap((a) => a.regions).flatMap((region) => region.detectors ?? [])) {
      findings.set(detector, await loadFindings(detector.findings));
    }
    return new GuardDuty(world, findings, options);
  }

  claims(request: ServiceRequest): boolean {
    return PATH.test(request.url.pathname);
  }

  understand(request: ServiceRequest): Operation {
    const [, detectorId, suffix] = PATH.exec(request.url.pathname) ?? [];
    const { account, region } = callerOf(request, this.#world);
    const operation = operationOf(request.method, detectorId, suffix);
    return {
      operation,
      region: region.name,
      accountId: account.accountId,
      key: detectorId,
      answer: () => {
        switch (operation) {
          case 'ListDetectors':
            return listDetectors(request.url.searchParams, region);
          case 'GetDetector':
            return restJson(describeDetector(this.#detector(detectorId, region), account.accountId));
          case 'ListFindings':
            return this.#listFindings(
              Parameters.parse(request.body, 'BadRequestException'),
              detectorId,
              account,
              region,
            );
          case 'GetFindings':
            return this.#getFindings(Parameters.parse(request.body, 'BadRequestException'), detectorId, region);
          case 'unknown':
            throw invalid();
        }
      },
    };
  }

  #detector(detectorId: string | undefined, region: Region): Detector {
    const found = region.detectors?.find((detector) => detector.detectorId === detectorId);
    if (found === undefined) throw invalid();
    return found;
  }

  #listFindings(
    parameters: Parameters,
    detectorId: string | undefined,
    account: Account,
    region: Region,
  ): ServiceResponse {
    const findings = this.#findings.get(this.#detector(detectorId, region)) ?? [];
    const test = compileCriteria(parameters.get('findingCriteria'), this.#options);
    const limit = parameters.integer('maxResults', 1, MAX_IDS) ?? MAX_IDS;
    const sort = parameters.get('sortCriteria');
    const query = queryId(account.accountId, detectorId, parameters.get('findingCriteria'), sort);
    // The service's first and last token are the empty string.
    const token = parameters.string('nextToken', 0) ?? '';
    const from = token === '' ? { position: 0 } : decodeToken(token, query);
    if (from === undefined) throw invalid();
    const found = sorted(findings.filter(test), sort);
    const next = from.position + limit;
    return restJson({
      findingIds: found.slice(from.position, next).map(({ id }) => id),
      nextToken: next < found.length ? encodeToken({ query, position: next, serial: 0 }) : '',
    });
  }

  #getFindings(parameters: Parameters, detectorId: string | undefined, region: Region): ServiceResponse {
    const findings = this.#findings.get(this.#detector(detectorId, region)) ?? [];
    const ids = new Set(parameters.strings('findingIds', 0, MAX_IDS));
    const found = findings.filter(({ id }) => ids.has(id));
    return restJson({ findings: sorted(found, parameters.get('sortCriteria')) });
  }
}

type OperationName = 'ListDetectors' | 'GetDetector' | 'ListFindings' | 'GetFindings' | 'unknown';

function operationOf(method: string, detectorId: string | undefined, suffix: string | undefined): OperationName {
  if (method === 'GET' && suffix === undefined) return detectorId === undefined ? 'ListDetectors' : 'GetDetector';
  if (method === 'POST' && suffix !== undefined) return suffix === '/findings' ? 'ListFindings' : 'GetFindings';
  return 'unknown';
}

function listDetectors(query: URLSearchParams, region: Region): ServiceResponse {
  const limit = Number(query.get('maxResults') ?? MAX_IDS);
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > MAX_IDS) throw invalid();
  const ids = (region.detectors ?? []).map(({ detectorId }) => detectorId);
  const from = Number(query.get('nextToken') ?? 0);
  const next = from + limit;
  return restJson({ detectorIds: ids.slice(from, next), ...(next < ids.length ? { nextToken: String(next) } : {}) });
}

/** By one attribute; findings that lack it come first, ascending. */
function sorted(findings: readonly WireFinding[], sortCriteria: unknown): readonly WireFinding[] {
  if (sortCriteria === undefined) return findings;
  if (typeof sortCriteria !== 'object' || sortCriteria === null) throw invalid();
  const { attributeName, orderBy = 'ASC' } = sortCriteria as Readonly<Record<string, unknown>>;
  if (typeof attributeName !== 'string' || (orderBy !== 'ASC' && orderBy !== 'DESC')) throw invalid();
  const direction = orderBy === 'ASC' ? 1 : -1;
  return findings.toSorted(
    (a, b) => direction * compareNodes(nodesOf(a, attributeName)[0], nodesOf(b, attributeName)[0]),
  );
}

function textOf(node: unknown): string {
  return node === undefined ? '' : typeof node === 'string' ? node : JSON.stringify(node);
}

function compareNodes(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [left, right] = [textOf(a), textOf(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}
