import { setFlagsFromString } from 'node:v8';
import type { Node, RawStmt } from '@pgsql/types';
import { hasSqlDetails, loadModule, parseSync, scanSync } from 'libpg-query';
import { BoundedCache } from '../kernel/bounded-cache.ts';

// Compiled once more by V8's optimizing compiler the parser is no faster, and the 35 MB that this takes stay in malloc's hands.
setFlagsFromString('--no-wasm-tier-up');
setFlagsFromString('--no-wasm-dynamic-tiering');

/** The one reader of SQL text: PostgreSQL's own parser, compiled to WebAssembly. */
await loadModule();

/** One statement of a text, with its own text cut out of the whole. */
export interface ParsedStatement {
  readonly node: Node;
  /** The statement alone: locations in `node` are bytes of UTF-8 into it. */
  readonly text: string;
  /** Characters before it in the whole text. */
  readonly offset: number;
}

export interface Token {
  /** Bytes of UTF-8. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly kind: 'comment' | 'other';
}

const parsed = new BoundedCache<{ readonly statements: readonly ParsedStatement[] | undefined }>({
  entries: 2_000,
  bytes: 8 * 1024 * 1024,
});
/** An AST is some twenty times as large as its text. */
const TREE_SIZE = 20;
const scanned = new BoundedCache<readonly Token[]>({ entries: 2_000, bytes: 4 * 1024 * 1024 });
/** Of a token every four characters. */
const TOKENS_SIZE = 25;

/** The statements of a text; undefined where PostgreSQL's grammar refuses it. The nodes are shared: never change them. */
export function parseStatements(text: string): readonly ParsedStatement[] | undefined {
  let known = parsed.get(text);
  if (known === undefined) {
    known = { statements: parse(text) };
    parsed.set(text, known, TREE_SIZE * text.length);
  }
  return known.statements;
}

function parse(text: string): readonly ParsedStatement[] | undefined {
  // The library takes no text of length 0.
  if (text === '') return [];
  let raw: readonly RawStmt[];
  try {
    raw = parseSync(text).stmts ?? [];
  } catch (error) {
    if (hasSqlDetails(error)) return undefined;
    throw error;
  }
  const only = raw[0];
  // The whole text is kept where it is one statement, so that comments before it stay.
  if (raw.length === 1 && only?.stmt !== undefined) return [{ node: only.stmt, text, offset: 0 }];
  const bytes = Buffer.from(text);
  return raw.flatMap(({ stmt, stmt_location: start = 0, stmt_len: length = 0 }) => {
    if (stmt === undefined) return [];
    const own = bytes.subarray(start, length === 0 ? undefined : start + length).toString();
    // Locations count from the start of the whole text: parsing the cut again is simpler than shifting each of them.
    const again = parseSync(own).stmts?.[0]?.stmt;
    if (again === undefined) return [];
    return [{ node: again, text: own, offset: bytes.subarray(0, start).toString().length }];
  });
}

/** The first statement's node of a text that we wrote ourselves, freshly parsed: the caller may change it. */
export function parseOwn(text: string): Node {
  const node = parseSync(text).stmts?.[0]?.stmt;
  if (node === undefined) throw new Error(`no statement in: ${text}`);
  return node;
}

/** The first statement's node of a text that we wrote ourselves. Shared: never change it. */
export function parseKept(text: string): Node {
  const node = parseStatements(text)?.[0]?.node;
  if (node === undefined) throw new Error(`no statement in: ${text}`);
  return node;
}

/** The tokens of a text that parses. */
export function scanTokens(text: string): readonly Token[] {
  let tokens = scanned.get(text);
  if (tokens === undefined) {
    tokens = scanSync(text).tokens.map(({ start, end, text: own, tokenName }) => ({
      start,
      end,
      text: own,
      kind: tokenName === 'SQL_COMMENT' || tokenName === 'C_COMMENT' ? 'comment' : 'other',
    }));
    scanned.set(text, tokens, TOKENS_SIZE * text.length);
  }
  return tokens;
}
