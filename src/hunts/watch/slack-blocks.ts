/** Slack's Block Kit, as far as messages of hunts use it: https://docs.slack.dev/reference/block-kit/blocks */

export interface Mrkdwn {
  readonly type: 'mrkdwn';
  readonly text: string;
  /** Nothing in the text is made a link or a mention but what is written as one. */
  readonly verbatim: true;
}

export type Block =
  | { readonly type: 'header'; readonly text: { readonly type: 'plain_text'; readonly text: string } }
  | { readonly type: 'section'; readonly text: Mrkdwn; readonly fields?: readonly Mrkdwn[] }
  | { readonly type: 'context'; readonly elements: readonly Mrkdwn[] }
  | { readonly type: 'divider' };

export interface SlackMessage {
  /** What notifications on a telephone show. */
  readonly text: string;
  readonly blocks: readonly Block[];
}

const MOST_OF_HEADER = 150;
const MOST_OF_VALUE = 200;

export function header(text: string): Block {
  return { type: 'header', text: { type: 'plain_text', text: oneLine(text, MOST_OF_HEADER) } };
}

/** `text` is mrkdwn: values in it have gone through `plain`. */
export function mrkdwn(text: string): Extract<Block, { type: 'section' }> {
  return { type: 'section', text: { type: 'mrkdwn', text, verbatim: true } };
}

export function field(name: string, value: string | null | undefined): Mrkdwn {
  return { type: 'mrkdwn', text: `*${name}*\n${plain(value ?? '–')}`, verbatim: true };
}

/**
 * A value that others have made, as text that Slack shows and does not interpret: no mention, no link, no second line
 * that could pass for ours.
 */
export function plain(value: string | null | undefined, most = MOST_OF_VALUE): string {
  return oneLine(value ?? '', most, escaped);
}

/** Undefined where the text is no address that leads to the web. */
export function link(url: string | null | undefined, text: string): string | undefined {
  if (url === null || url === undefined || !URL.canParse(url)) return undefined;
  const { protocol, href } = new URL(url);
  return protocol === 'https:' ? `<${href.replaceAll('&', '&amp;').replaceAll('|', '%7C')}|${text}>` : undefined;
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
