/** A connection of kind http, as the configuration gives it. */
export interface HttpConnection {
  /** The connection's name. */
  readonly name: string;
  /** `api.example.com`, `10.0.0.1:8080`: the only host that is asked, and gets `headers` and `query`. Undefined: any allowed one. */
  readonly host: string | undefined;
  /** Secrets, sent with each request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Likewise, as parameters of the URL. */
  readonly query: Readonly<Record<string, string>>;
  /** Requests in flight at once. */
  readonly concurrency: number;
  readonly requestsPerSecond: number | undefined;
  /** Requests a day, by UTC, where the service allows only so many and does not say what remains. */
  readonly quotaPerDay: number | undefined;
  /** Statuses that say that there is no row. */
  readonly notFound: readonly number[];
  /** Statuses that say that there were too many requests. */
  readonly outOfQuota: readonly number[];
  /** Of answers, where a table says nothing else, in milliseconds. */
  readonly ttlMs: number;
  /** Of one request with its redirects, in milliseconds. */
  readonly timeoutMs: number;
  /** Of one answer. */
  readonly maxBytes: number;
}

/** Hosts of URLs (`URL.host`) that tables made by SQL may call, by the configuration's `http`. */
export interface AllowedHosts {
  readonly allow: readonly string[];
  /** These also by http, and at addresses that are not of the internet. */
  readonly allowPrivate: readonly string[];
}

/** Whether an answer may lead on to another URL: what is of the internet leads into no private network. */
export function mayLeadTo(hosts: AllowedHosts, from: URL, to: URL): boolean {
  const isPrivate = ({ host }: URL) => hosts.allowPrivate.includes(host);
  return mayCall(hosts, to) && (isPrivate(from) || !isPrivate(to));
}

/** Whether a URL may be called. */
export function mayCall({ allow, allowPrivate }: AllowedHosts, { protocol, host, username, password }: URL): boolean {
  if (username !== '' || password !== '') return false;
  if (allowPrivate.includes(host)) return protocol === 'https:' || protocol === 'http:';
  return protocol === 'https:' && allow.includes(host);
}
