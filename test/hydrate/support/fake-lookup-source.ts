import type { Column } from '../../../src/catalog/table.ts';
import type { CallContext, LookupKey, LookupSource, SourceRecord } from '../../../src/sources/source.ts';

type Reply = (key: LookupKey, signal: AbortSignal) => Promise<unknown>;

interface Gate {
  readonly key: string;
  readonly open: () => void;
  readonly fail: (error: Error) => void;
}

/**
 * A reputation service. Scores are the address's last octet; addresses in 10/8 are answered locally and those that end
 * in .0 have no record. With `hold`, every request waits at a gate until the test opens it.
 */
export class FakeLookupSource implements LookupSource {
  readonly kind = 'lookup';
  readonly limit = { key: 'fake', concurrency: 64 };
  /** Every request, in the order of their starts: `203.0.113.7 {"max_age_in_days":"90"}`. */
  readonly requests: string[] = [];
  readonly aborted: string[] = [];
  readonly gates: Gate[] = [];
  inFlight = 0;
  mostInFlight = 0;
  hold = false;
  reply: Reply = (key) => Promise.resolve({ score: Number(key.key.split('.').at(-1)), reports: ['spam'] });
  readonly #verbose: boolean;

  constructor(options: { verbose?: boolean } = {}) {
    this.#verbose = options.verbose ?? false;
  }

  answerLocally(key: LookupKey): readonly SourceRecord[] | undefined {
    return key.key.startsWith('10.') ? [record({ score: 0 }, key)] : undefined;
  }

  variant(columns: readonly Column[]): string | undefined {
    return this.#verbose && columns.some((column) => column.name === 'reports') ? 'verbose' : undefined;
  }

  lookup(key: LookupKey, _columns: readonly Column[], context: CallContext): Promise<readonly SourceRecord[]> {
    return context.call(this.limit, async (signal) => {
      this.requests.push(`${key.key} ${JSON.stringify(key.inputs)}`);
      this.inFlight += 1;
      this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
      try {
        if (this.hold) await this.#gate(key.key, signal);
        const value = await this.reply(key, signal);
        return key.key.endsWith('.0') ? [] : [record(value, key)];
      } finally {
        this.inFlight -= 1;
      }
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Resolves once so many requests wait at their gates. */
  async waiting(count: number): Promise<void> {
    while (this.gates.length < count) await new Promise((resolve) => setImmediate(resolve));
  }

  open(count = this.gates.length): void {
    for (const gate of this.gates.splice(0, count)) gate.open();
  }

  #gate(key: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const gate = { key, open: resolve, fail: reject };
      this.gates.push(gate);
      signal.addEventListener('abort', () => {
        this.aborted.push(key);
        const index = this.gates.indexOf(gate);
        if (index >= 0) this.gates.splice(index, 1);
        reject(signal.reason as Error);
      });
    });
  }
}

function record(value: unknown, key: LookupKey): SourceRecord {
  return { value, added: {}, origin: () => `the answer for ${key.key}` };
}
