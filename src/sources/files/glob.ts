/** The globs of `paths`: `*`, `?`, `[…]` and `{a,b}` within a name, `**` for any folders, none included. */

export type GlobSegment = string | RegExp | typeof ANY_FOLDERS;

export const ANY_FOLDERS = Symbol('**');

export interface Glob {
  /** As configured: for messages. */
  readonly text: string;
  /** Names from the root on: a name as it is, a pattern of one, or any number of folders. The last one is a file's. */
  readonly segments: readonly GlobSegment[];
  /** The pattern tells no evidence from other files (`**`, `*`, a folder): the name's ending has to. */
  readonly anyName: boolean;
  /** Without wildcards: what it names has to exist. */
  readonly literal: boolean;
}

/**
 * What an absolute path means. A path without wildcards in its last name may be that of a file or of a folder, whose
 * files are meant then. Names that begin with a dot are matched only by patterns that begin with one, as in shells.
 */
export function parseGlob(text: string): readonly Glob[] {
  return expandBraces(text.endsWith('/') ? `${text}**` : text).flatMap((path) => {
    const names = path.split('/').filter((name) => name !== '');
    if (names.at(-1) === '**') names.push('*');
    const segments = names.map(segmentOf);
    const last = names.at(-1) ?? '';
    const literal = !hasWildcard(text);
    const glob = { text, segments, anyName: last === '*', literal };
    if (typeof segments.at(-1) !== 'string') return [glob];
    return [glob, { text, segments: [...segments, ANY_FOLDERS, /^[^.]/s], anyName: true, literal }];
  });
}

export function hasWildcard(text: string): boolean {
  return /[*?[{]/.test(text);
}

export function matchesSegment(segment: GlobSegment, name: string): boolean {
  if (typeof segment === 'string') return segment === name;
  return segment === ANY_FOLDERS ? !name.startsWith('.') : segment.test(name);
}

function segmentOf(name: string): GlobSegment {
  if (name === '**') return ANY_FOLDERS;
  if (!hasWildcard(name)) return name;
  let source = name.startsWith('.') ? '' : '(?!\\.)';
  for (let index = 0; index < name.length; index += 1) {
    const character = name.charAt(index);
    const set = character === '[' ? /^\[(!|\^)?(\]?[^\]]*)\]/.exec(name.slice(index)) : null;
    if (set !== null) {
      source += `[${set[1] === undefined ? '' : '^'}${(set[2] ?? '').replace(/[\\\]^[]/g, '\\$&')}]`;
      index += set[0].length - 1;
    } else if (character === '*') source += '.*';
    else if (character === '?') source += '.';
    else source += character.replace(/[\\^$.*+?()[\]{}|]/, '\\$&');
  }
  return new RegExp(`^${source}$`, 'su');
}

/** `a{b,c{d,e}}` is ab, acd and ace; braces without a comma stand for themselves. */
function expandBraces(text: string): readonly string[] {
  for (let open = text.indexOf('{'); open >= 0; open = text.indexOf('{', open + 1)) {
    const parts = alternatives(text, open);
    if (parts === undefined || parts.texts.length < 2) continue;
    const rest = text.slice(parts.end);
    return [...new Set(parts.texts.flatMap((part) => expandBraces(text.slice(0, open) + part + rest)))];
  }
  return [text];
}

function alternatives(
  text: string,
  open: number,
): { readonly texts: readonly string[]; readonly end: number } | undefined {
  const texts: string[] = [];
  let depth = 0;
  let start = open + 1;
  for (let index = open; index < text.length; index += 1) {
    const character = text.charAt(index);
    if (character === '{') depth += 1;
    else if (character === '}') depth -= 1;
    if (depth === 0 || (depth === 1 && character === ',')) {
      texts.push(text.slice(start, index));
      start = index + 1;
    }
    if (depth === 0) return { texts, end: index + 1 };
  }
  return undefined;
}
