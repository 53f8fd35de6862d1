import type { Rewrite } from '../query/pipeline.ts';
import { type Bind, encodeBind } from '../wire/frontend/bind.ts';
import { encodeClose } from '../wire/frontend/close.ts';
import { encodeParse } from '../wire/frontend/parse.ts';
import type { BackendLink } from './backend-link.ts';
import type { SessionBackend } from './client-backend.ts';
import { withoutOurContext } from './context.ts';
import { mapResponses, onlyResponses } from './filters.ts';
import { mayBegin, ownTransaction, settleBlock } from './own-transaction.ts';
import { locate } from './position.ts';
import type { VirtualPortals } from './portals.ts';
import type { PreparedStatement, PreparedStatements } from './prepared-statements.ts';
import type { Rewriter } from './rewriter.ts';

export interface VirtualBindContext {
  readonly link: BackendLink;
  readonly backend: SessionBackend;
  readonly rewriter: Rewriter;
  readonly statements: PreparedStatements;
  readonly portals: VirtualPortals;
  readonly runsAlone: (signal: AbortSignal) => Promise<boolean>;
}

/**
 * A Bind of a statement that may name virtual tables. Its Parse and Describe were PostgreSQL's own; only the portal is made
 * from the rewritten text. `message` is the client's, for all cases that PostgreSQL answers alone.
 */
export async function bindVirtual(context: VirtualBindContext, message: Buffer, bind: Bind): Promise<void> {
  const { link, rewriter, portals, runsAlone } = context;
  const relay = () => {
    link.send(message, {
      kind: 'bind',
      filter: mapResponses(withoutOurContext),
      onEnd: portals.replaced(bind.portal),
    });
  };
  const settled = await settleBlock(link);
  // Not before: its Parse may have failed meanwhile. A failed block refuses whatever it is.
  const statement = context.statements.get(bind.statement);
  if (settled !== 'ready' || link.queue.status === 'E' || statement === undefined) {
    relay();
    return;
  }
  try {
    const parameterTypes = await resolveTypes(context, statement);
    // PostgreSQL says which number it wanted.
    const rewrite =
      parameterTypes?.length === bind.parameters.length
        ? await rewriter.rewrite(
            statement.text,
            { parameterTypes, parameters: bind.parameters },
            mayBegin(link),
            async (signal) => mayBegin(link) && (await runsAlone(signal)) && ownTransaction(link),
          )
        : undefined;
    rewriter.relaying();
    if (rewrite === undefined) relay();
    else await openPortal(context, bind, statement, rewrite);
  } catch (error) {
    if (!link.gone) await rewriter.fail(error, { text: statement.text, offset: 0 });
  }
}

/**
 * As PostgreSQL resolved them: rewritten text must not be read with other types. Fails where the statement is gone, with
 * what Bind would have failed with. Undefined: another statement has its name.
 */
async function resolveTypes(
  context: VirtualBindContext,
  statement: PreparedStatement,
): Promise<readonly number[] | undefined> {
  const { parameterTypes } = await context.backend.describePrepared(statement.name, statement.text);
  if (!statement.suspect) return parameterTypes;
  const { rows } = await context.backend.query({
    text: 'select statement from pg_catalog.pg_prepared_statements where name operator(pg_catalog.=) $1',
    parameterTypes: [TEXT_OID],
    parameters: [{ format: 0, value: Buffer.from(statement.name) }],
  });
  if (rows[0]?.[0] === statement.text) {
    statement.suspect = false;
    return parameterTypes;
  }
  context.statements.forget(statement.name);
  return undefined;
}

const TEXT_OID = 25;

async function openPortal(
  context: VirtualBindContext,
  bind: Bind,
  statement: PreparedStatement,
  rewrite: Rewrite,
): Promise<void> {
  const { link, backend, portals } = context;
  const name = backend.freshName();
  const text = { original: statement.text, executed: rewrite.text, offset: 0 };
  const silent = onlyResponses((fields) => locate(fields, text));
  const { portal, resultFormats } = bind;
  link.send(encodeParse({ statement: name, text: rewrite.text, parameterTypes: rewrite.parameterTypes }), {
    kind: 'parse',
    filter: silent,
  });
  portals.open(portal, { rewrite, text: statement.text });
  const ran = rewrite.run?.();
  link.send(encodeBind({ portal, statement: name, parameters: rewrite.parameters, resultFormats }), {
    kind: 'bind',
    onEnd: (outcome) => {
      if (outcome !== 'done') portals.close(portal);
    },
  });
  // The portal keeps its plan; nobody else may see the name.
  link.send(encodeClose({ target: 'S', name }), { kind: 'close', filter: silent });
  if (ran === undefined) return;
  try {
    await link.settle();
  } finally {
    ran();
  }
}
