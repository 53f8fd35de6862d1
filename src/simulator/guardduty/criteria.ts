import { AwsError } from '../aws/aws-error.ts';
import type { WireFinding } from './load-findings.ts';

export interface CriteriaOptions {
  /** What `notEquals` says of an attribute that a finding lacks: AWS does not document it. False by default. */
  readonly notEqualMatchesMissing?: boolean | undefined;
}

/** What ListFindings' documentation lists as valid; anything else is refused. */
const ATTRIBUTES = new Set([
  'accountId',
  'region',
  'confidence',
  'id',
  'resource.accessKeyDetails.accessKeyId',
  'resource.accessKeyDetails.principalId',
  'resource.accessKeyDetails.userName',
  'resource.accessKeyDetails.userType',
  'resource.instanceDetails.iamInstanceProfile.id',
  'resource.instanceDetails.imageId',
  'resource.instanceDetails.instanceId',
  'resource.instanceDetails.networkInterfaces.ipv6Addresses',
  'resource.instanceDetails.networkInterfaces.privateIpAddresses.privateIpAddress',
  'resource.instanceDetails.networkInterfaces.publicDnsName',
  'resource.instanceDetails.networkInterfaces.publicIp',
  'resource.instanceDetails.networkInterfaces.securityGroups.groupId',
  'resource.instanceDetails.networkInterfaces.securityGroups.groupName',
  'resource.instanceDetails.networkInterfaces.subnetId',
  'resource.instanceDetails.networkInterfaces.vpcId',
  'resource.instanceDetails.tags.key',
  'resource.instanceDetails.tags.value',
  'resource.resourceType',
  'service.action.actionType',
  'service.action.awsApiCallAction.api',
  'service.action.awsApiCallAction.callerType',
  'service.action.awsApiCallAction.remoteIpDetails.city.cityName',
  'service.action.awsApiCallAction.remoteIpDetails.country.countryName',
  'service.action.awsApiCallAction.remoteIpDetails.ipAddressV4',
  'service.action.awsApiCallAction.remoteIpDetails.organization.asn',
  'service.action.awsApiCallAction.remoteIpDetails.organization.asnOrg',
  'service.action.awsApiCallAction.serviceName',
  'service.action.dnsRequestAction.domain',
  'service.action.dnsRequestAction.domainWithSuffix',
  'service.action.networkConnectionAction.blocked',
  'service.action.networkConnectionAction.connectionDirection',
  'service.action.networkConnectionAction.localPortDetails.port',
  'service.action.networkConnectionAction.protocol',
  'service.action.networkConnectionAction.remoteIpDetails.country.countryName',
  'service.action.networkConnectionAction.remoteIpDetails.ipAddressV4',
  'service.action.networkConnectionAction.remoteIpDetails.organization.asn',
  'service.action.networkConnectionAction.remoteIpDetails.organization.asnOrg',
  'service.action.networkConnectionAction.remotePortDetails.port',
  'service.additionalInfo.threatListName',
  'service.archived',
  'service.ebsVolumeScanDetails.scanId',
  'service.resourceRole',
  'severity',
  'type',
  'updatedAt',
]);

/** "Max values: 50". */
const MAX_VALUES = 50;

/** Old names of the conditions and the ones that replaced them. */
const CONDITIONS = {
  eq: 'equals',
  equals: 'equals',
  neq: 'notEquals',
  notEquals: 'notEquals',
  gt: 'greaterThan',
  greaterThan: 'greaterThan',
  gte: 'greaterThanOrEqual',
  greaterThanOrEqual: 'greaterThanOrEqual',
  lt: 'lessThan',
  lessThan: 'lessThan',
  lte: 'lessThanOrEqual',
  lessThanOrEqual: 'lessThanOrEqual',
} as const;

type Condition = (typeof CONDITIONS)[keyof typeof CONDITIONS];

type Test = (finding: WireFinding) => boolean;

/** Of a request's `findingCriteria`. Throws AwsError. */
export function compileCriteria(findingCriteria: unknown, options: CriteriaOptions): Test {
  const criterion = fieldsOf(fieldsOf(findingCriteria ?? {})['criterion'] ?? {});
  const tests = Object.entries(criterion).flatMap(([attribute, conditions]) => {
    if (!ATTRIBUTES.has(attribute)) throw invalid();
    return Object.entries(fieldsOf(conditions)).map(([name, operand]) => {
      if (!Object.hasOwn(CONDITIONS, name)) throw invalid();
      return compileCondition(attribute, CONDITIONS[name as keyof typeof CONDITIONS], operand, options);
    });
  });
  return (finding) => tests.every((test) => test(finding));
}

export function invalid(): AwsError {
  return new AwsError(
    'BadRequestException',
    'The request is rejected because an invalid or out-of-range value is specified as an input parameter.',
  );
}

function compileCondition(attribute: string, condition: Condition, operand: unknown, options: CriteriaOptions): Test {
  switch (condition) {
    case 'equals': {
      const wanted = stringsOf(operand);
      return (finding) => textsOf(finding, attribute).some((text) => wanted.includes(text));
    }
    case 'notEquals': {
      const unwanted = stringsOf(operand);
      return (finding) => {
        const texts = textsOf(finding, attribute);
        if (texts.length === 0) return options.notEqualMatchesMissing === true;
        return !texts.some((text) => unwanted.includes(text));
      };
    }
    case 'greaterThan':
    case 'greaterThanOrEqual':
    case 'lessThan':
    case 'lessThanOrEqual': {
      // Long in the model: a fraction cannot be sent.
      if (!Number.isSafeInteger(operand)) throw invalid();
      const bound = operand as number;
      return (finding) =>
        nodesOf(finding, attribute).some((node) => compare(condition, numberOf(node, attribute), bound));
    }
  }
}

function compare(condition: Exclude<Condition, 'equals' | 'notEquals'>, value: number, bound: number): boolean {
  switch (condition) {
    case 'greaterThan':
      return value > bound;
    case 'greaterThanOrEqual':
      return value >= bound;
    case 'lessThan':
      return value < bound;
    case 'lessThanOrEqual':
      return value <= bound;
  }
}

/** `updatedAt` is compared as epoch milliseconds, though a finding has it as text. */
function numberOf(node: unknown, attribute: string): number {
  return attribute === 'updatedAt' ? Date.parse(String(node)) : Number(node);
}

function textsOf(finding: WireFinding, attribute: string): readonly string[] {
  const nodes = nodesOf(finding, attribute);
  // A finding that says nothing was never archived.
  if (nodes.length === 0 && attribute === 'service.archived') return ['false'];
  return nodes.map((node) => String(attribute === 'updatedAt' ? numberOf(node, attribute) : node));
}

/** The values at a path; arrays on the way are entered. */
export function nodesOf(value: unknown, path: string): readonly unknown[] {
  let nodes: unknown[] = [value];
  for (const name of path.split('.')) {
    nodes = nodes
      .flat()
      .flatMap((node) => (typeof node === 'object' && node !== null ? [(node as Record<string, unknown>)[name]] : []))
      .filter((node) => node !== undefined && node !== null);
  }
  return nodes.flat();
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid();
  return value as Record<string, unknown>;
}

function stringsOf(value: unknown): readonly string[] {
  if (!Array.isArray(value) || value.length > MAX_VALUES || !value.every((each) => typeof each === 'string')) {
    throw invalid();
  }
  return value;
}
