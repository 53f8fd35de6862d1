import type { ServiceName } from '../service.ts';

/** One request as it was seen. */
export interface Call {
  readonly service: ServiceName;
  /** `refused` where the service refused the request before it was understood. */
  readonly operation: string;
  readonly region: string | undefined;
  /** The address, log group or detector that was asked about. */
  readonly key: string | undefined;
  /** `aborted`: the client went away before it had its answer. `dropped`: we closed the connection. */
  readonly state: CallState;
  /** Undefined until it is answered. */
  readonly status: number | undefined;
}

export type CallState = 'open' | 'answered' | 'aborted' | 'dropped';

export type CallFilter = Partial<Pick<Call, 'service' | 'operation' | 'region' | 'key' | 'state' | 'status'>>;

/** Ends a call; the first end counts. */
export type EndCall = (state: Exclude<CallState, 'open'>, status?: number) => void;

/** Every request since the start or the last `reset()`, in order of arrival. */
export class CallLog {
  #calls: Call[] = [];
  readonly #open = new Map<ServiceName, number>();
  readonly #maxConcurrency = new Map<ServiceName, number>();
  #waiting: { readonly condition: (calls: CallLog) => boolean; readonly resolve: () => void }[] = [];

  get all(): readonly Call[] {
    return this.#calls;
  }

  count(filter: CallFilter = {}): number {
    return this.#find(filter).length;
  }

  /** How often each key was asked for. */
  byKey(filter: CallFilter = {}): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { key } of this.#find(filter)) if (key !== undefined) counts.set(key, (counts.get(key) ?? 0) + 1);
    return counts;
  }

  /** The most requests that a service had in work at once. */
  maxConcurrency(service: ServiceName): number {
    return this.#maxConcurrency.get(service) ?? 0;
  }

  /** Requests that are in work now. */
  open(service: ServiceName): number {
    return this.#open.get(service) ?? 0;
  }

  /** Resolves as soon as the condition holds; it is looked at whenever a request arrives or ends. */
  async until(condition: (calls: CallLog) => boolean): Promise<void> {
    if (condition(this)) return;
    await new Promise<void>((resolve) => {
      this.#waiting.push({ condition, resolve });
    });
  }

  /** Forgets what was seen; requests in work stay counted in `open`. */
  reset(): void {
    this.#calls = [];
    this.#maxConcurrency.clear();
    for (const [service, open] of this.#open) this.#maxConcurrency.set(service, open);
  }

  begin(call: Pick<Call, 'service' | 'operation' | 'region' | 'key'>): EndCall {
    const entry: { -readonly [K in keyof Call]: Call[K] } = { ...call, state: 'open', status: undefined };
    this.#calls.push(entry);
    const open = this.open(call.service) + 1;
    this.#open.set(call.service, open);
    this.#maxConcurrency.set(call.service, Math.max(open, this.maxConcurrency(call.service)));
    this.#changed();
    return (state, status) => {
      if (entry.state !== 'open') return;
      entry.state = state;
      entry.status = status;
      this.#open.set(call.service, this.open(call.service) - 1);
      this.#changed();
    };
  }

  #find(filter: CallFilter): readonly Call[] {
    const wanted = Object.entries(filter).filter(([, value]) => value !== undefined);
    return this.#calls.filter((call) => wanted.every(([name, value]) => call[name as keyof Call] === value));
  }

  #changed(): void {
    const ready = this.#waiting.filter(({ condition }) => condition(this));
    if (ready.length === 0) return;
    this.#waiting = this.#waiting.filter((each) => !ready.includes(each));
    for (const { resolve } of ready) resolve();
  }
}
