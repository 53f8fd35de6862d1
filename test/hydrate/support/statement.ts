import type { Progress, StatementContext, StatementSettings } from '../../../src/hydrate/hydrator.ts';

export interface TestStatement extends StatementContext {
  readonly notices: string[];
  readonly progressed: Progress[];
  cancel(): void;
}

const DEFAULTS: StatementSettings = {
  cache: true,
  cacheMaxAgeMs: undefined,
  sources: 'live',
  maxLookups: 250,
  concurrency: 16,
  partial: false,
  progress: false,
};

/** A statement as the pipeline would describe it, with the settings that a new session has. */
export function statement(settings: Partial<StatementSettings> = {}, relationOnly = false): TestStatement {
  const controller = new AbortController();
  const notices: string[] = [];
  const progressed: Progress[] = [];
  return {
    signal: controller.signal,
    settings: { ...DEFAULTS, ...settings },
    role: 'trailhound',
    user: 'trailhound',
    text: 'select made_up',
    relationOnly,
    notice: (severity, message) => void notices.push(`${severity}: ${message}`),
    progress: (state) => void progressed.push(state),
    notices,
    progressed,
    cancel: () => controller.abort(new Error('canceling statement due to user request')),
  };
}
