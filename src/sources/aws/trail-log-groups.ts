import { LeftOut } from '../left-out.ts';
import { type Part, mergeParts } from '../merge-parts.ts';
import type { CallContext } from '../source.ts';
import { type AwsAccess, controlLimit } from './access.ts';
import { type CloudTrail, type Trail, cloudTrailClient } from './clients/cloudtrail.ts';
import { Remembered } from './remembered.ts';

export interface TrailLogGroup {
  readonly partition: string;
  readonly region: string;
  readonly accountId: string;
  readonly name: string;
  readonly trail: string;
}

/** The log groups to which the trails of a connection deliver. */
export class TrailLogGroups {
  readonly #name: string;
  readonly #access: AwsAccess;
  readonly #found = new Remembered<readonly TrailLogGroup[]>();

  /** @param name the connection's */
  constructor(name: string, access: AwsAccess) {
    this.#name = name;
    this.#access = access;
  }

  /** The log groups that trails recording these regions deliver to, in whichever region those stand. */
  async of(regions: readonly string[], context: CallContext): Promise<readonly TrailLogGroup[]> {
    const leftOut = new LeftOut(context);
    const groups = await this.#found.get(async () => {
      const trails: Trail[] = [];
      const parts = regions.map((region) => leftOut.of(region, this.#trailsOf(region)));
      const options = { concurrency: Number.POSITIVE_INFINITY, tolerate: leftOut.tolerate };
      for await (const some of mergeParts(parts, context, options)) trails.push(...some);
      const found = new Map<string, TrailLogGroup>();
      for (const trail of trails) {
        const group = logGroupOf(trail.logGroupArn);
        if (group !== undefined)
          found.set(`${group.accountId}/${group.region}/${group.name}`, { ...group, trail: trail.name });
      }
      return [...found].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, group]) => group);
    });
    // The next statement asks again.
    if (leftOut.count > 0) this.#found.forget();
    leftOut.report(regions.length, 'lists of trails');
    return groups;
  }

  #trailsOf(region: string): Part<readonly Trail[]> {
    const call = { region, action: 'cloudtrail:DescribeTrails' };
    const limit = controlLimit('cloudtrail', this.#name, region);
    const client = this.#access.client<CloudTrail>('cloudtrail', region, cloudTrailClient);
    const ask = (context: CallContext) =>
      this.#access.call(context, limit, call, (signal) => client.describeTrails(signal));
    return async function* trailsOf(context) {
      yield (await ask(context)).trails;
    };
  }
}

/** `arn:aws:logs:us-east-1:111122223333:log-group:CloudTrail/All:*` */
function logGroupOf(arn: string | undefined): Omit<TrailLogGroup, 'trail'> | undefined {
  const parts = /^arn:([^:]+):logs:([^:]+):(\d+):log-group:([^:]+)(?::\*)?$/.exec(arn ?? '');
  if (parts === null) return undefined;
  const [, partition = '', region = '', accountId = '', name = ''] = parts;
  return { partition, region, accountId, name };
}
