import { isRegionName, isRegionPattern, matchesRegion } from '../regions.ts';
import type { CallContext } from '../source.ts';
import { type AwsAccess, controlLimit, noRegion } from './access.ts';
import { type Account, accountClient } from './clients/account.ts';
import { isAccessDenied } from './errors.ts';
import { Remembered } from './remembered.ts';

interface Found {
  readonly names: readonly string[];
  readonly warning?: string;
}

/** The regions of a connection. */
export class ConnectionRegions {
  readonly #name: string;
  readonly #access: AwsAccess;
  /** As configured: names and patterns. */
  readonly #patterns: readonly string[] | undefined;
  readonly #found = new Remembered<Found>();

  /** @param name the connection's */
  constructor(name: string, access: AwsAccess, patterns: readonly string[] | undefined) {
    this.#name = name;
    this.#access = access;
    this.#patterns = patterns;
  }

  /** The configured regions, patterns replaced by the enabled regions that they match. Warns where it may not list those. */
  async all(context: CallContext): Promise<readonly string[]> {
    const { names, warning } = await this.#found.get(async () => {
      const patterns = this.#patterns;
      return patterns === undefined
        ? this.#defaultRegions(context)
        : { names: await this.#matchingRegions(patterns, context) };
    });
    if (warning !== undefined) context.notice('WARNING', warning);
    return names;
  }

  async #matchingRegions(patterns: readonly string[], context: CallContext): Promise<readonly string[]> {
    const misspelt = patterns.find((pattern) => !isRegionPattern(pattern) && !isRegionName(pattern));
    if (misspelt !== undefined) throw noRegion(this.#name, misspelt);
    if (!patterns.some(isRegionPattern)) return [...new Set(patterns)];
    const enabled = await this.#enabledRegions(context);
    const chosen = patterns.map((pattern) => {
      const matching = isRegionPattern(pattern)
        ? enabled.filter((region) => matchesRegion(pattern, region))
        : [pattern];
      if (matching.length === 0) throw noRegion(this.#name, pattern);
      return matching;
    });
    return [...new Set(chosen.flat())];
  }

  async #defaultRegions(context: CallContext): Promise<Found> {
    try {
      return { names: await this.#enabledRegions(context) };
    } catch (error) {
      if (!isAccessDenied(error)) throw error;
      const home = await this.#access.homeRegion();
      return {
        names: [home],
        warning: `connection ${this.#name} may not list its regions (account:ListRegions): only ${home} is searched; name others in connections.${this.#name}.regions`,
      };
    }
  }

  /** The SDK's own region comes first. */
  async #enabledRegions(context: CallContext): Promise<readonly string[]> {
    const home = await this.#access.homeRegion();
    const account = this.#access.client<Account>('account', home, accountClient);
    const limit = controlLimit('account', this.#name, home);
    const enabled = new Set([home]);
    let nextToken: string | undefined;
    do {
      const token = nextToken;
      const call = { region: home, action: 'account:ListRegions' };
      const page = await this.#access.call(context, limit, call, (signal) => account.listRegions(token, signal));
      for (const region of page.regions) enabled.add(region);
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    return [...enabled];
  }
}
