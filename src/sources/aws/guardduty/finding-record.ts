import { isIP } from 'node:net';
import type { SourceRecord } from '../../source.ts';
import type { Place } from '../each-place.ts';

type Json = Readonly<Record<string, unknown>>;

/** A finding as GetFindings sends it, with what columns need from several of its fields. */
export function findingRecord(place: Place, finding: Json): SourceRecord {
  const service = objectAt(finding, 'service');
  const remotes = remoteIpDetails(objectAt(service, 'action'));
  // Where it has details of several, the first that has an address stands for the finding.
  const addresses = remotes.map(addressOf);
  const first = Math.max(
    addresses.findIndex((address) => address !== undefined),
    0,
  );
  const remote = remotes[first] ?? {};
  const organization = objectAt(remote, 'organization');
  const threats = arrayAt(objectAt(service, 'evidence'), 'threatIntelligenceDetails');
  return {
    value: finding,
    added: {
      detector_id: service['detectorId'],
      remote_ip: addresses[first],
      remote_ips: remotes.length === 0 ? undefined : [...new Set(addresses.filter((address) => address !== undefined))],
      remote_country: objectAt(remote, 'country')['countryName'],
      remote_city: objectAt(remote, 'city')['cityName'],
      // A string by AWS's model, a number in some exports.
      remote_asn: organization['asn'],
      remote_asn_org: organization['asnOrg'],
      remote_isp: organization['isp'],
      remote_org: organization['org'],
      bucket_names: names(arrayAt(objectAt(finding, 'resource'), 's3BucketDetails'), 'name'),
      threat_list_names: names(threats, 'threatListName'),
      threat_names: threats?.flatMap((threat) => arrayOf(threat['threatNames']) ?? []),
      sample: isSample(finding, service),
      console_url: consoleUrl(finding),
      finding,
      connection_name: place.connection.name,
    },
    origin: () =>
      `finding ${String(finding['id'])} of a detector in ${place.region}, connection ${place.connection.name}`,
  };
}

/** https://docs.aws.amazon.com/guardduty/latest/APIReference/API_Action.html */
function remoteIpDetails(action: Json): readonly Json[] {
  const probes = arrayAt(objectAt(action, 'portProbeAction'), 'portProbeDetails') ?? [];
  const holders = [
    objectAt(action, 'networkConnectionAction'),
    objectAt(action, 'awsApiCallAction'),
    ...probes,
    objectAt(action, 'kubernetesApiCallAction'),
    objectAt(action, 'rdsLoginAttemptAction'),
  ];
  return holders.flatMap((holder) => (isObject(holder['remoteIpDetails']) ? [holder['remoteIpDetails']] : []));
}

/** Undefined for what is no address: sample findings have texts in such fields. */
function addressOf({ ipAddressV4, ipAddressV6 }: Json): string | undefined {
  return [ipAddressV4, ipAddressV6].find(
    (address): address is string => typeof address === 'string' && isIP(address) !== 0,
  );
}

/** In `additionalInfo` itself, in the JSON text that is its `value`, or only in the title. */
function isSample(finding: Json, service: Json): boolean {
  const info = objectAt(service, 'additionalInfo');
  if (info['sample'] === true) return true;
  if (typeof info['value'] === 'string' && objectOf(parse(info['value']))['sample'] === true) return true;
  return typeof finding['title'] === 'string' && finding['title'].startsWith('[SAMPLE]');
}

/** https://docs.aws.amazon.com/general/latest/gr/aws-arns-and-namespaces.html: each partition has a console of its own. */
const CONSOLES: Readonly<Record<string, string>> = {
  aws: 'console.aws.amazon.com',
  'aws-cn': 'console.amazonaws.cn',
  'aws-us-gov': 'console.amazonaws-us-gov.com',
};

function consoleUrl({ id, region, partition }: Json): string | undefined {
  const host = CONSOLES[typeof partition === 'string' ? partition : 'aws'];
  if (host === undefined || typeof id !== 'string' || typeof region !== 'string') return undefined;
  const fragment = `/findings?search=${encodeURIComponent(`id=${id}`)}&macros=all&fId=${encodeURIComponent(id)}`;
  return `https://${encodeURIComponent(region)}.${host}/guardduty/home?region=${encodeURIComponent(region)}#${fragment}`;
}

function names(objects: readonly Json[] | undefined, field: string): readonly string[] | undefined {
  return objects?.map((object) => object[field]).filter((name) => typeof name === 'string');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function objectOf(value: unknown): Json {
  return isObject(value) ? value : {};
}

function objectAt(object: Json, field: string): Json {
  return objectOf(object[field]);
}

function arrayOf(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? (value as readonly unknown[]) : undefined;
}

function arrayAt(object: Json, field: string): readonly Json[] | undefined {
  return arrayOf(object[field])?.map(objectOf);
}
