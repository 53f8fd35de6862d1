import type { CallContext, Page, ScanPlan, ScanRequest, ScanSource } from '../../../src/sources/source.ts';

interface Options {
  readonly pages: number;
  readonly recordsPerPage: number;
  readonly value?: (n: number) => unknown;
  readonly empty?: boolean;
  readonly notices?: readonly string[];
  /** Called before each request for a page. */
  readonly before?: (page: number, signal: AbortSignal) => Promise<void>;
}

/** A log that is read page by page: one request a page, the next only when the last was taken. */
export class FakeScanSource implements ScanSource {
  readonly kind = 'scan';
  readonly #options: Options;
  requests = 0;
  stopped = false;

  constructor(options: Options) {
    this.#options = options;
  }

  plan(): ScanPlan {
    return { pushed: [], empty: this.#options.empty ?? false, parts: [], notices: this.#options.notices ?? [] };
  }

  async *scan(_request: ScanRequest, context: CallContext): AsyncGenerator<Page> {
    const { pages, recordsPerPage, value = (n: number) => ({ n }), before } = this.#options;
    try {
      for (let page = 0; page < pages; page += 1) {
        const first = page * recordsPerPage;
        yield await context.call({ key: 'log', concurrency: 4 }, async (signal) => {
          this.requests += 1;
          await before?.(page, signal);
          const records = Array.from({ length: recordsPerPage }, (_, index) => ({
            value: value(first + index),
            added: { timestamp: 1_763_700_000_000 + first + index },
            origin: () => `page ${page}, event ${first + index}`,
          }));
          return { records, bytes: 100 * recordsPerPage };
        });
      }
    } finally {
      this.stopped = true;
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
