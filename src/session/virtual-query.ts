import type { Rewrite, QueryPipeline, StatementText } from '../query/pipeline.ts';
import { decodeCommandComplete } from '../wire/backend/command-complete.ts';
import { BACKEND } from '../wire/backend/message-type.ts';
import { encodeReadyForQuery } from '../wire/backend/ready-for-query.ts';
import { encodeBind } from '../wire/frontend/bind.ts';
import { encodeClose } from '../wire/frontend/close.ts';
import { encodeDescribe } from '../wire/frontend/describe.ts';
import { encodeExecute } from '../wire/frontend/execute.ts';
import { encodeFlush } from '../wire/frontend/flush.ts';
import { encodeParse } from '../wire/frontend/parse.ts';
import { encodeSync } from '../wire/frontend/sync.ts';
import { CHANGES_BLOCK, type BackendLink } from './backend-link.ts';
import type { SessionBackend } from './client-backend.ts';
import { withoutOurContext } from './context.ts';
import { explainFilter } from './explain.ts';
import type { Outcome, ReplyFilter } from './expected.ts';
import { mapResponses, NOTHING, onlyResponses, patchOrigins, payload } from './filters.ts';
import type { Outbox } from './outbox.ts';
import { implicitBlock, mayBegin, ownTransaction, settleBlock, swallowedSync } from './own-transaction.ts';
import { locate } from './position.ts';
import type { VirtualPortals } from './portals.ts';
import type { PreparedStatements } from './prepared-statements.ts';
import type { Rewriter } from './rewriter.ts';

export interface VirtualQueryContext {
  readonly link: BackendLink;
  readonly backend: SessionBackend;
  readonly rewriter: Rewriter;
  readonly statements: PreparedStatements;
  readonly portals: VirtualPortals;
  readonly pipeline: QueryPipeline;
  readonly toClient: Outbox;
  /**
   * Whether the client's next Sync comes before anything else than a portal that is run. Waits until the client has sent
   * one or the other: before that it is owed no answer.
   */
  readonly runsAlone: (signal: AbortSignal) => Promise<boolean>;
}

/**
 * A simple Query that may name virtual tables: each of its statements runs by Parse, Bind and Execute in one segment with
 * one Sync at its end, which is what a simple Query's implicit transaction is. The client sees no difference.
 */
export async function runVirtualQuery(context: VirtualQueryContext, message: Buffer, text: string): Promise<void> {
  const { link, statements } = context;
  const relay = () => {
    statements.forget('');
    link.send(message, { kind: 'query', filter: mapResponses(withoutOurContext) });
  };
  const settled = await settleBlock(link);
  const parts = settled === 'ready' && link.queue.status !== 'E' ? context.pipeline.split(text) : undefined;
  if (parts === undefined || parts.length === 0) {
    relay();
    return;
  }
  // A Query between a client's Execute and Sync shares the implicit transaction, if it is one statement.
  const shared = link.queue.segmentOpen && parts.length === 1;
  let begins = parts.length > 1;
  for (const part of parts) {
    const outcome = await runPart(context, part, { alone: parts.length === 1, begins });
    if (link.gone) return;
    if (outcome === 'not ours') {
      if (!shared) await swallowedSync(link);
      context.rewriter.relaying();
      relay();
      return;
    }
    if (outcome === 'failed') {
      // Whatever it failed with, the unnamed statement has gone: ended only now, since until Sync all is skipped. The portal
      // stays in a failed block, as one that cannot be run.
      statements.forget('');
      link.send(encodeSync(), { kind: 'sync', filter: NOTHING });
      link.send(encodeClose({ target: 'S', name: '' }), { kind: 'close', filter: NOTHING });
      link.send(encodeSync(), { kind: 'sync' });
      return;
    }
    // Else the pipeline would not know that a block began or ended. Inside one, and right after one, Sync changes nothing.
    begins = CHANGES_BLOCK.has(outcome.tag);
    if (begins) await swallowedSync(link);
  }
  closeUnnamed(
    link,
    onlyResponses((fields) => fields),
  );
  if (!shared) {
    link.send(encodeSync(), { kind: 'sync' });
    return;
  }
  context.toClient.add(encodeReadyForQuery({ status: 'T' }));
  context.toClient.flush();
}

type PartOutcome = { readonly tag: string } | 'failed' | 'not ours';

interface PartPlace {
  /** The Query's only statement. */
  readonly alone: boolean;
  /** The first of several, or right behind one that may have ended a block. */
  readonly begins: boolean;
}

async function runPart(
  context: VirtualQueryContext,
  part: StatementText,
  { alone, begins }: PartPlace,
): Promise<PartOutcome> {
  const { link, backend, rewriter, portals } = context;
  let rewrite: Rewrite | undefined;
  try {
    if (begins) await implicitBlock(link, backend);
    if (rewriter.concerns(part.text, Buffer.from(part.text))) {
      rewrite = await rewriter.rewrite(
        part.text,
        { parameterTypes: [], parameters: [] },
        alone && mayBegin(link),
        async () => alone && ownTransaction(link),
      );
    }
    if (alone && rewrite === undefined) return 'not ours';
  } catch (error) {
    if (!link.gone) await rewriter.fail(error, part);
    return 'failed';
  }
  context.statements.forget('');
  portals.close('');
  rewriter.relaying();
  const ran = rewrite?.run?.();
  try {
    return await execute(context, part, rewrite);
  } finally {
    ran?.();
    if (rewrite !== undefined) portals.done(rewrite);
  }
}

/** By the unnamed portal, as a simple Query does; the statement's name is gone before anything can look. */
function execute(
  context: VirtualQueryContext,
  part: StatementText,
  rewrite: Rewrite | undefined,
): Promise<{ tag: string } | 'failed'> {
  const { link, backend } = context;
  const statement = backend.freshName();
  const text = rewrite?.text ?? part.text;
  const source = { original: part.text, executed: text, offset: part.offset };
  const silent = onlyResponses((fields) => locate(fields, source));
  const parameters = rewrite?.parameters ?? [];
  const result = new ExecuteFilter(
    rewrite?.explain === undefined
      ? mapResponses((fields) => locate(fields, source))
      : explainFilter(rewrite.explain, (fields) => locate(fields, source)),
  );
  const description = rowDescription(silent, rewrite);
  return new Promise((resolve) => {
    const onEnd = (outcome: Outcome) => resolve(outcome === 'done' ? { tag: result.tag } : 'failed');
    closeUnnamed(link, silent);
    link.send(encodeParse({ statement, text, parameterTypes: rewrite?.parameterTypes ?? [] }), {
      kind: 'parse',
      filter: silent,
    });
    link.send(encodeBind({ portal: '', statement, parameters, resultFormats: [] }), { kind: 'bind', filter: silent });
    link.send(encodeClose({ target: 'S', name: statement }), { kind: 'close', filter: silent });
    link.send(encodeDescribe({ target: 'P', name: '' }), {
      kind: 'describe',
      filter: part.describedFirst ? description : result.after(description),
    });
    link.send(encodeExecute({ portal: '', maxRows: 0 }), { kind: 'execute', filter: result, onEnd });
    // Nothing but Flush until it has ended: during COPY FROM STDIN any other message is a protocol violation.
    link.send(encodeFlush());
    link.flush();
  });
}

/** As a simple Query does, before it and after it. */
function closeUnnamed(link: BackendLink, filter: ReplyFilter): void {
  link.send(encodeClose({ target: 'S', name: '' }), { kind: 'close', filter });
  link.send(encodeClose({ target: 'P', name: '' }), { kind: 'close', filter });
}

function rowDescription(silent: ReplyFilter, rewrite: Rewrite | undefined): ReplyFilter {
  return {
    takes: () => true,
    apply: (type, message) => {
      if (type !== BACKEND.rowDescription) return silent.apply(type, message);
      return [rewrite?.origins === undefined ? message : patchOrigins(message, rewrite.origins)];
    },
  };
}

/** Remembers the command tag. */
class ExecuteFilter implements ReplyFilter {
  readonly #inner: ReplyFilter;
  #held: readonly Buffer[] = [];
  tag = '';

  constructor(inner: ReplyFilter) {
    this.#inner = inner;
  }

  /** What the other filter lets through comes before the first row, and not at all where there is an error before it. */
  after(description: ReplyFilter): ReplyFilter {
    return {
      takes: (type) => description.takes(type),
      apply: (type, message) => {
        const told = description.apply(type, message);
        if (type !== BACKEND.rowDescription) return told;
        this.#held = told;
        return [];
      },
    };
  }

  takes(type: number): boolean {
    return this.#held.length > 0 || type === BACKEND.commandComplete || this.#inner.takes(type);
  }

  apply(type: number, message: Buffer): readonly Buffer[] {
    if (type === BACKEND.commandComplete) this.tag = decodeCommandComplete(payload(message)).tag;
    const told = this.#inner.takes(type) ? this.#inner.apply(type, message) : [message];
    if (this.#held.length === 0 || type === BACKEND.noticeResponse) return told;
    const held = this.#held;
    this.#held = [];
    return type === BACKEND.errorResponse ? told : [...held, ...told];
  }
}
