/** Slack's Block Kit, as far as messages of hunts use it: https://docs.slack.dev/reference/block-kit/blocks */

/** Shown as it is: no mention, no link, no bold. Whatever others may have made is told as such. */
export interface PlainText {
  readonly type: 'plain_text';
  readonly text: string;
  readonly emoji: false;
}

/** For our own links alone. */
export interface Mrkdwn {
  readonly type: 'mrkdwn';
  readonly text: string;
  /** Nothing in the text is made a link or a mention but what is written as one. */
  readonly verbatim: true;
}

export type Text = PlainText | Mrkdwn;

export type Block =
  | { readonly type: 'header'; readonly text: PlainText }
  | { readonly type: 'section'; readonly text: PlainText; readonly fields?: readonly Text[] }
  | { readonly type: 'context'; readonly elements: readonly Text[] }
  | { readonly type: 'divider' };

export interface SlackMessage {
  /** What notifications on a telephone show. Slack reads mentions and links out of it: `escapedLine` makes it. */
  readonly text: string;
  readonly blocks: readonly Block[];
}

const MOST_OF_HEADER = 150;
const MOST_OF_VALUE = 200;
const MOST_OF_NOTICE = 1_000;

export function header(text: string): Block {
  return { type: 'header', text: plainText(oneLine(text, MOST_OF_HEADER)) };
}

/** Values in `text` have gone through `plain`, so that each line is one of ours. */
export function section(text: string, fields?: readonly Text[]): Block {
  return { type: 'section', text: plainText(text), ...(fields === undefined ? {} : { fields }) };
}

export function context(text: string | Mrkdwn): Block {
  return { type: 'context', elements: [typeof text === 'string' ? plainText(text) : text] };
}

export function field(name: string, value: string | null | undefined): PlainText {
  return plainText(`${name}\n${plain(value ?? '–')}`);
}

/** A value that others have made, without a second line that could pass for ours. */
export function plain(value: string | null | undefined, most = MOST_OF_VALUE): string {
  return oneLine(value ?? '', most);
}

/** A text for where Slack takes no `plain_text`. */
export function escapedLine(text: string): string {
  return oneLine(text, MOST_OF_NOTICE, escaped);
}

/** Of the partitions: nothing else is worth a click that somebody makes in haste. */
const CONSOLE = /^([a-z0-9-]+\.)?console\.(aws\.amazon\.com|amazonaws\.cn|amazonaws-us-gov\.com)$/;

/** Undefined where the text does not lead to AWS's console: others may have made it. */
export function link(url: string | null | undefined, text: string): Mrkdwn | undefined {
  if (url === null || url === undefined || !URL.canParse(url)) return undefined;
  const { protocol, host, username, password, href } = new URL(url);
  if (protocol !== 'https:' || !CONSOLE.test(host) || username !== '' || password !== '') return undefined;
  const address = href.replaceAll('&', '&amp;').replaceAll('|', '%7C');
  return { type: 'mrkdwn', text: `<${address}|${text}>`, verbatim: true };
}

function plainText(text: string): PlainText {
  return { type: 'plain_text', text, emoji: false };
}

/** https://docs.slack.dev/messaging/formatting-message-text/#escaping */
function escaped(character: string): string {
  switch (character) {
    case '&':
      return '&amp;';
    case '<':
      return '&lt;';
    case '>':
      return '&gt;';
    default:
      return character;
  }
}

/** At most as many characters, after `encode`. */
function oneLine(text: string, most: number, encode: (character: string) => string = (character) => character): string {
  let line = '';
  // Also what turns the direction of the text around it.
  for (const character of text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')) {
    const encoded = encode(character);
    if (line.length + encoded.length >= most) return `${line}…`;
    line += encoded;
  }
  return line;
}
