/**
 * A file of conversations: what clients send, and what PostgreSQL answers, one message a line.
 *
 *     == its title
 *     > Query "select 1"                 what the client sends; a run of such lines is one write
 *     < CommandComplete "SELECT 1"       what comes then, message by message
 *     >directly … / <directly …          of PostgreSQL alone; >through, <through: of us alone
 *     2> Sync                            a second connection
 *     connect                            begins a connection, logged in; the first one is there by itself
 *     connect raw                        before its start-up packet; `> log in` is SCRAM, once that is asked for
 *     wait running                       until the statement of another connection runs
 *     < ... ReadyForQuery 2              in a new conversation: all up to the second; recorded by `vitest -u`
 */
export type Side = 'directly' | 'through';

export type Item =
  | { readonly kind: 'text'; readonly line: string }
  | { readonly kind: 'title'; readonly line: string }
  | { readonly kind: 'connect'; readonly line: string; readonly connection: string; readonly raw: boolean }
  | { readonly kind: 'wait'; readonly line: string }
  | {
      readonly kind: 'send' | 'receive';
      readonly line: string;
      readonly connection: string;
      /** Undefined: of both. */
      readonly side: Side | undefined;
      readonly words: string;
    };

export interface Conversation {
  readonly title: string;
  readonly items: readonly Item[];
}

export function readItems(text: string): readonly Item[] {
  return text.trimEnd().split('\n').map(readItem);
}

function readItem(line: string): Item {
  if (line.trim() === '' || line.startsWith('#')) return { kind: 'text', line };
  if (line.startsWith('== ')) return { kind: 'title', line };
  if (line === 'wait running') return { kind: 'wait', line };
  const connect = /^(?:(\d) )?connect( raw)?$/u.exec(line);
  if (connect !== null) {
    return { kind: 'connect', line, connection: connect[1] ?? '1', raw: connect[2] !== undefined };
  }
  const message = /^(?<connection>\d)?(?<way>[<>])(?<side>directly|through)? (?<words>.+)$/u.exec(line)?.groups;
  if (message === undefined) throw new Error(`no line of a conversation: ${line}`);
  return {
    kind: message['way'] === '>' ? 'send' : 'receive',
    line,
    connection: message['connection'] ?? '1',
    side: message['side'] as Side | undefined,
    words: message['words'] ?? '',
  };
}

export function conversations(items: readonly Item[]): readonly Conversation[] {
  const found: { title: string; items: Item[] }[] = [];
  for (const item of items) {
    if (item.kind === 'title') found.push({ title: item.line.slice(3), items: [] });
    found.at(-1)?.items.push(item);
  }
  return found;
}

/** As the other side is not there. */
export function ofSide(items: readonly Item[], side: Side): readonly Item[] {
  return items.filter((item) => !('side' in item) || item.side === undefined || item.side === side);
}
