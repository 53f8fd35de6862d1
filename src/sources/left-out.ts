import type { CallContext } from './source.ts';
import { SourceError } from './source.ts';

/** trailhound.partial: parts of a scan that fail are left out, and counted in one WARNING. */
export class LeftOut {
  readonly #context: CallContext;
  readonly #messages: string[] = [];

  constructor(context: CallContext) {
    this.#context = context;
  }

  get count(): number {
    return this.#messages.length;
  }

  /** Whether the scan goes on without the part that failed with it. */
  readonly tolerate = (error: unknown): boolean => {
    if (this.#context.partial !== true || !(error instanceof SourceError)) return false;
    this.#messages.push(error.message);
    return true;
  };

  /** When all parts are through. `what`: what a part is, in the plural. */
  report(parts: number, what: string): void {
    if (this.count === 0) return;
    this.#context.notice(
      'WARNING',
      `${this.count} of ${parts} ${what} could not be read, their rows are missing: ${[...new Set(this.#messages)].join('; ')}`,
    );
  }
}
