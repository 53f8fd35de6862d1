import type { Progress, StatementContext } from '../hydrate/hydrator.ts';
import type { StatementKind } from '../sql/statement.ts';
import type { CallingStatement } from './callers.ts';
import type { StatementFacts } from './facts.ts';
import type { RewriteRequest } from './pipeline.ts';
import { readSettings } from './settings.ts';

/** What a statement carries through hydration. Throws where a setting has a value that is not allowed. */
export function contextOf(
  facts: StatementFacts,
  kind: StatementKind,
  request: RewriteRequest,
  signal: AbortSignal,
  calling: CallingStatement | undefined,
): StatementContext {
  const settings = calling?.settings ?? readSettings(facts.settings);
  const said = new Set<string>();
  const own: StatementContext['notice'] = (severity, message) => {
    // Two scans of one statement may miss the same region.
    if (facts.unheard.has(severity) || said.has(message)) return;
    said.add(message);
    request.notice(severity, message);
  };
  const notice: StatementContext['notice'] = (severity, message) => {
    (calling ?? { notice: own }).notice(severity, message);
  };
  return {
    signal,
    settings,
    ...(calling === undefined ? {} : { budget: calling.budget }),
    role: facts.role,
    user: facts.sessionUser,
    text: request.text,
    pid: request.pid,
    // COPY takes no parameters; in another encoding than UTF-8 they would be read differently.
    relationOnly: kind === 'copy' || facts.clientEncoding !== 'UTF8',
    notice,
    progress: settings.progress
      ? (state) => {
          notice('NOTICE', progressText(state));
        }
      : () => undefined,
  };
}

function progressText({ table, rows, callsDone, callsKnown }: Progress): string {
  const calls = callsKnown === undefined ? String(callsDone) : `${String(callsDone)} of ${String(callsKnown)}`;
  return `${table}: ${String(rows)} rows, ${calls} calls done`;
}
