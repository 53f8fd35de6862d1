import { TrailhoundError } from '../../kernel/errors.ts';

const KINDS = ['slack', 'webhook'] as const;

/** Where notifications go. The URL is a secret: whoever has it may write there. */
export interface Destination {
  readonly kind: (typeof KINDS)[number];
  readonly url: URL;
  /** Of a URL with user and password. */
  readonly authorization: string | undefined;
}

/**
 * `slack:https://hooks.slack.com/services/…` or `webhook:https://…`.
 *
 * @throws TrailhoundError `configuration`, which does not repeat what was given.
 */
export function parseDestination(text: string): Destination {
  const [kind, address] = split(text);
  const known = KINDS.find((candidate) => candidate === kind);
  if (known === undefined) {
    throw new TrailhoundError('configuration', '--notify: expected slack:URL or webhook:URL', {
      hint: 'Write --notify slack:https://hooks.slack.com/services/…',
    });
  }
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new TrailhoundError('configuration', `--notify: what follows ${known}: is no URL of http or https`, {
      hint: `Write --notify ${known}:https://…`,
    });
  }
  const { username, password } = url;
  const authorization = username === '' && password === '' ? undefined : basic(known, username, password);
  // fetch() refuses a URL with credentials, and its message repeats them.
  url.username = '';
  url.password = '';
  return { kind: known, url, authorization };
}

function split(text: string): readonly [kind: string, address: string] {
  const colon = text.indexOf(':');
  return [text.slice(0, colon), text.slice(colon + 1)];
}

function basic(kind: string, username: string, password: string): string {
  try {
    const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    return `Basic ${Buffer.from(pair).toString('base64')}`;
  } catch {
    throw new TrailhoundError('configuration', `--notify: user and password of ${kind}: are not percent-encoded`, {
      hint: 'Write %25 for each percent sign of a user or a password.',
    });
  }
}
