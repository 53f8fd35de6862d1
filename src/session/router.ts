import type { Bind } from '../wire/frontend/bind.ts';
import { decodeBind } from '../wire/frontend/bind.ts';
import { decodeClose } from '../wire/frontend/close.ts';
import { decodeDescribe } from '../wire/frontend/describe.ts';
import { decodeExecute, encodeExecute } from '../wire/frontend/execute.ts';
import { encodeFlush } from '../wire/frontend/flush.ts';
import { FRONTEND } from '../wire/frontend/message-type.ts';
import { decodeParse } from '../wire/frontend/parse.ts';
import { decodeQuery } from '../wire/frontend/query.ts';
import { BACKEND } from '../wire/backend/message-type.ts';
import { bytesOf, payloadOf, type Piece } from '../wire/message-reader.ts';
import { withoutOurContext } from './context.ts';
import { explainFilter } from './explain.ts';
import type { Expected, ReplyKind } from './expected.ts';
import { mapResponses, patchOrigins } from './filters.ts';
import { keptRowsHint } from './kept-rows-hint.ts';
import type { VirtualPortal } from './portals.ts';
import { locate } from './position.ts';
import { bindVirtual } from './virtual-bind.ts';
import { runVirtualQuery, type VirtualQueryContext } from './virtual-query.ts';

/** Message types whose reply, in case nothing of ours is concerned, is the only thing to know about them. */
const REPLIES: ReadonlyMap<number, ReplyKind> = new Map([
  [FRONTEND.parse, 'parse'],
  [FRONTEND.bind, 'bind'],
  [FRONTEND.describe, 'describe'],
  [FRONTEND.execute, 'execute'],
  [FRONTEND.close, 'close'],
  [FRONTEND.query, 'query'],
  [FRONTEND.functionCall, 'function-call'],
  [FRONTEND.sync, 'sync'],
  [FRONTEND.copyDone, 'copy-end'],
  [FRONTEND.copyFail, 'copy-end'],
]);

const OWN_CONTEXT = mapResponses(withoutOurContext);

/** pg_type's oid of text. */
const TEXT_OID = 25;

const ALLOWED_IN_COPY: ReadonlySet<number> = new Set([FRONTEND.copyData, FRONTEND.copyDone, FRONTEND.copyFail]);

/** The promise of a statement that goes through the pipeline: nothing of the client's may overtake it. */
export type Work = Promise<void> | undefined;

/** Decides, message by message, what PostgreSQL gets as it is and what goes through the pipeline. */
export class Router {
  readonly #context: VirtualQueryContext;

  constructor(context: VirtualQueryContext) {
    this.#context = context;
  }

  /** Whether a message of this type is to be read whole. Names matter only once a virtual table may be behind one. */
  reads(type: number): boolean {
    const { statements, portals } = this.#context;
    switch (type) {
      case FRONTEND.parse:
      case FRONTEND.query:
      // During COPY left out, or followed by a Flush: neither can be done to a part.
      case FRONTEND.flush:
      case FRONTEND.sync:
      case FRONTEND.copyDone:
      case FRONTEND.copyFail:
        return true;
      case FRONTEND.bind:
      case FRONTEND.close:
        return !statements.empty || !portals.empty;
      case FRONTEND.describe:
      case FRONTEND.execute:
        return !portals.empty;
    }
    return false;
  }

  route(piece: Piece, inStatement: boolean): Work {
    const { link } = this.#context;
    if (!piece.first) {
      // Of what cannot be a message the head is enough for PostgreSQL to say so and to leave: whoever writes to it then loses that.
      if (piece.size !== Infinity) link.relay(piece);
      return undefined;
    }
    if (link.queue.copyIn) {
      this.#copy(piece, inStatement);
      return undefined;
    }
    const whole = piece.last && this.reads(piece.type);
    // Where a message cannot be decoded, PostgreSQL says why.
    try {
      if (whole && piece.type === FRONTEND.parse) return this.#parse(piece);
      if (whole && piece.type === FRONTEND.query) return this.#query(piece);
      if (whole && piece.type === FRONTEND.bind) return this.#bind(piece);
      if (whole && piece.type === FRONTEND.describe) return this.#describe(piece);
      if (whole && piece.type === FRONTEND.execute) return this.#execute(piece);
      if (whole && piece.type === FRONTEND.close) return this.#close(piece);
    } catch {
      return this.#relay(piece);
    }
    if (piece.type === FRONTEND.parse || piece.type === FRONTEND.query) this.#context.statements.forget('');
    return this.#relay(piece);
  }

  /** PostgreSQL ignores Flush and Sync here, and ends the connection for anything else (CopyGetData in copyfromparse.c). */
  #copy(piece: Piece, inStatement: boolean): void {
    if (piece.type === FRONTEND.flush || piece.type === FRONTEND.sync) return;
    if (!ALLOWED_IN_COPY.has(piece.type)) {
      this.#context.link.relay(piece);
      return;
    }
    void this.#relay(piece);
    // Its own Flush was ignored too.
    if (inStatement && piece.type !== FRONTEND.copyData) this.#context.link.send(encodeFlush());
  }

  #relay(piece: Piece, more: Omit<Expected, 'kind'> = {}): Work {
    const kind = REPLIES.get(piece.type);
    // Of what may name functions of ours.
    const own = kind === 'execute' && !this.#context.statements.empty ? { filter: OWN_CONTEXT } : {};
    this.#context.link.relay(piece, kind === undefined ? undefined : { kind, ...own, ...more });
    return undefined;
  }

  #parse(piece: Piece): Work {
    const { statements, rewriter } = this.#context;
    const payload = payloadOf(piece);
    const { statement, text } = decodeParse(payload);
    if (statement === '') statements.forget('');
    // Behind the texts stand the parameters' types: as bytes, 1009 (text[]) or 1184 (timestamptz) are no UTF-8.
    const texts = payload.subarray(0, payload.indexOf(0, payload.indexOf(0) + 1));
    const concerned = rewriter.concerns(text, texts);
    if (!concerned) return this.#relay(piece);
    return this.#relay(piece, { onEnd: statements.parse(statement, text), filter: rewriter.parseFilter });
  }

  #query(piece: Piece): Work {
    const { text } = decodeQuery(payloadOf(piece));
    if (this.#context.rewriter.concerns(text, payloadOf(piece))) {
      return runVirtualQuery(this.#context, bytesOf(piece), text);
    }
    this.#context.statements.forget('');
    return this.#relay(piece, keptRowsHint(text));
  }

  #bind(piece: Piece): Work {
    const { statements, portals } = this.#context;
    const bind: Bind = decodeBind(payloadOf(piece));
    // Replaces the unnamed portal; a named one that exists makes the Bind fail.
    if (bind.portal === '') portals.close('');
    if (statements.get(bind.statement) !== undefined) return bindVirtual(this.#context, bytesOf(piece), bind);
    return this.#relay(piece, { onEnd: portals.replaced(bind.portal) });
  }

  #describe(piece: Piece): Work {
    const { target, name } = decodeDescribe(payloadOf(piece));
    const portal = target === 'P' ? this.#context.portals.get(name) : undefined;
    const origins = portal?.rewrite.origins;
    if (origins === undefined) return this.#relay(piece);
    return this.#relay(piece, {
      filter: {
        takes: (type) => type === BACKEND.rowDescription,
        apply: (_type, message) => [patchOrigins(message, origins)],
      },
    });
  }

  #execute(piece: Piece): Work {
    const { portals } = this.#context;
    const { portal } = decodeExecute(payloadOf(piece));
    const virtual = portals.get(portal);
    if (virtual === undefined) return this.#relay(piece);
    if (virtual.rewrite.run !== undefined) return this.#runAlone(piece, portal, virtual, virtual.rewrite.run);
    this.#executePortal(bytesOf(piece), portal, virtual);
    return undefined;
  }

  /** Nothing else is on its way to the backend, and nothing is sent until it has answered. */
  async #runAlone(piece: Piece, portal: string, virtual: VirtualPortal, run: () => () => void): Promise<void> {
    const { link, portals, rewriter } = this.#context;
    const message = bytesOf(piece);
    try {
      if ((await link.settle()) === 'ready' && !(await this.#isOpen(portal, virtual))) {
        portals.close(portal);
        link.send(message, { kind: 'execute' });
        return;
      }
    } catch (error) {
      if (!link.gone) await rewriter.fail(error, { text: virtual.text, offset: 0 });
      return;
    }
    const ran = run();
    try {
      this.#executePortal(message, portal, virtual);
      await link.settle();
    } finally {
      ran();
    }
  }

  /** SQL closes portals, too, and declares others under their names: rows of one must not be served to another. */
  async #isOpen(portal: string, { rewrite }: VirtualPortal): Promise<boolean> {
    const { backend } = this.#context;
    if (portal === '' || backend.transactionStatus === 'E') return true;
    const { rows } = await backend.query({
      text: 'select c.statement from pg_catalog.pg_cursors c where c.name operator(pg_catalog.=) $1',
      parameterTypes: [TEXT_OID],
      parameters: [{ format: 0, value: Buffer.from(portal) }],
    });
    return rows[0]?.[0] === rewrite.text;
  }

  #executePortal(message: Buffer, portal: string, { rewrite, text }: VirtualPortal): void {
    const { link } = this.#context;
    const source = { original: text, executed: rewrite.text, offset: 0 };
    if (rewrite.explain === undefined) {
      link.send(message, { kind: 'execute', filter: mapResponses((fields) => locate(fields, source)) });
      return;
    }
    // All rows at once: ours are made from all of PostgreSQL's.
    link.send(encodeExecute({ portal, maxRows: 0 }), {
      kind: 'execute',
      filter: explainFilter(rewrite.explain, (fields) => locate(fields, source)),
    });
  }

  #close(piece: Piece): Work {
    const { statements, portals } = this.#context;
    const { target, name } = decodeClose(payloadOf(piece));
    if (target === 'S') return this.#relay(piece, { onEnd: statements.close(name) });
    return this.#relay(piece, {
      onEnd: (outcome) => {
        if (outcome === 'done') portals.close(name);
      },
    });
  }
}
