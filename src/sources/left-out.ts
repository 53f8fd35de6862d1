import type { Part } from './merge-parts.ts';
import type { CallContext } from './source.ts';
import { SourceError } from './source.ts';

/** trailhound.partial: parts of a scan that fail are left out, and counted in one WARNING. */
export class LeftOut {
  readonly #context: CallContext;
  readonly #messages = new Set<string>();
  readonly #parts = new Set<string>();
  readonly #partOf = new WeakMap<SourceError, string>();

  constructor(context: CallContext) {
    this.#context = context;
  }

  get count(): number {
    return this.#parts.size;
  }

  /** Of a part as users know it, however often it was divided: what of it fails counts once. */
  of<T>(part: string, read: Part<T>): Part<T> {
    const of = (another: Part<T>): Part<T> => this.of(part, another);
    const partOf = this.#partOf;
    return async function* known(context, divide) {
      try {
        yield* read(context, (into) => divide(into.map(of)));
      } catch (error) {
        if (error instanceof SourceError) partOf.set(error, part);
        throw error;
      }
    };
  }

  /** Whether the scan goes on without the part that failed with it. */
  readonly tolerate = (error: unknown): boolean =>
    error instanceof SourceError && this.leave(this.#partOf.get(error) ?? error.message, error);

  /** The same of a part that is known. */
  leave(part: string, error: unknown): boolean {
    if (this.#context.partial !== true || !(error instanceof SourceError)) return false;
    this.#parts.add(part);
    this.#messages.add(error.message);
    return true;
  }

  /** When all parts are through. `what`: what a part is, in the plural. */
  report(parts: number, what: string): void {
    if (this.count === 0) return;
    this.#context.notice(
      'WARNING',
      `${this.count} of ${parts} ${what} could not be read, their rows are missing: ${[...this.#messages].join('; ')}`,
    );
  }
}
