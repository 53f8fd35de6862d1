import { readLines } from '../lines.ts';
import type { Findings } from '../world.ts';

/** A finding as GuardDuty's HTTP bodies have it. */
export type WireFinding = Readonly<Record<string, unknown>> & { readonly id: string };

/** In the order of their first appearance. */
export async function loadFindings(source: Findings): Promise<readonly WireFinding[]> {
  const byId = new Map<string, WireFinding>();
  const add = (record: unknown): void => {
    const finding = toWire(record);
    byId.set(finding.id, finding);
  };
  if ('records' in source) source.records.forEach(add);
  else for (const path of source.files) for (const record of await readRecords(path)) add(record);
  return [...byId.values()];
}

async function readRecords(path: string): Promise<readonly unknown[]> {
  const lines: string[] = [];
  for await (const line of readLines(path)) lines.push(line);
  if (!/\.json(\.gz)?$/.test(path)) return lines.map((line): unknown => JSON.parse(line));
  const value: unknown = JSON.parse(lines.join('\n'));
  return Array.isArray(value) ? (value as readonly unknown[]) : [value];
}

function toWire(record: unknown): WireFinding {
  const finding = unwrap(record);
  const wire = 'Id' in finding ? (camelCased(finding) as Record<string, unknown>) : finding;
  const id = wire['id'];
  if (typeof id !== 'string') throw new TypeError('a GuardDuty finding has no id');
  return { ...wire, id, resource: withEpochSeconds(wire['resource']), service: withEpochSeconds(wire['service']) };
}

/** The finding itself, out of an EventBridge envelope or a `{ finding }`. */
function unwrap(record: unknown): Readonly<Record<string, unknown>> {
  if (typeof record !== 'object' || record === null) throw new TypeError('a GuardDuty finding is not an object');
  const fields = record as Record<string, unknown>;
  const inner = fields['detail'] ?? fields['finding'];
  return typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : fields;
}

/** Names whose wire form is not just their SDK form with a small first letter, by GuardDuty's model. */
const WIRE_NAMES: Readonly<Record<string, string>> = {
  'KubernetesApiCallAction.SourceIps': 'sourceIPs',
  'RdsLoginAttemptAction.LoginAttributes': 'LoginAttributes',
  'EcsTaskDetails.TaskCreatedAt': 'createdAt',
  'ProductCodes.Code': 'productCodeId',
  'ProductCodes.ProductType': 'productCodeType',
};

/** Members of type timestamp, by GuardDuty's model: all those of these names below `resource` and `service`. */
const TIMESTAMPS = new Set([
  'createdAt',
  'createdTime',
  'endTime',
  'firstSeenAt',
  'lastModifiedAt',
  'lastSeenAt',
  'modifiedAt',
  'scanCompletedAt',
  'scanStartedAt',
  'startTime',
  'startedAt',
  'updatedAt',
]);

/** HTTP bodies have timestamps as seconds since the epoch; what SDKs print and EventBridge carries has ISO 8601. */
function withEpochSeconds(value: unknown, name = ''): unknown {
  if (typeof value === 'string' && TIMESTAMPS.has(name)) return Date.parse(value) / 1_000;
  if (Array.isArray(value)) return value.map((each) => withEpochSeconds(each, name));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withEpochSeconds(member, key)]));
}

function camelCased(value: unknown, parent = ''): unknown {
  if (Array.isArray(value)) return value.map((each) => camelCased(each, parent));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      WIRE_NAMES[`${parent}.${name}`] ?? name.charAt(0).toLowerCase() + name.slice(1),
      camelCased(member, name),
    ]),
  );
}
