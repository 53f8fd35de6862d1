import { sleep, type Clock } from '../../kernel/clock.ts';
import type { Destination } from './destination.ts';
import type { Notification } from './notification.ts';
import { slackMessage } from './slack-message.ts';
import { webhookMessage } from './webhook-message.ts';

/** What was to be told was not taken. The message holds nothing of the URL, nor of an answer that might repeat it. */
export class NotDelivered extends Error {}

export interface Sender {
  /** @throws NotDelivered; the signal's reason where it is aborted before the next request would start. */
  send(notification: Notification): Promise<void>;
}

const ATTEMPTS = 6;
const FIRST_WAIT_MS = 1_000;
/** A Retry-After that is longer is left to the next run. */
const LONGEST_WAIT_MS = 120_000;
/** One message a second: https://docs.slack.dev/apis/web-api/rate-limits#posting-messages */
const SLACK_INTERVAL_MS = 1_000;
const TIMEOUT_MS = 10_000;

type Answer =
  | { readonly kind: 'taken' }
  /** Undefined: the service does not say when. */
  | { readonly kind: 'later'; readonly why: string; readonly afterMs: number | undefined }
  | { readonly kind: 'refused'; readonly why: string };

export function createSender(destination: Destination, clock: Clock, signal: AbortSignal): Sender {
  const intervalMs = destination.kind === 'slack' ? SLACK_INTERVAL_MS : 0;
  let notBefore = 0;
  return {
    send: async (notification) => {
      const body = JSON.stringify(
        destination.kind === 'slack' ? slackMessage(notification) : webhookMessage(notification),
      );
      for (let attempt = 1; ; attempt += 1) {
        const wait = notBefore - clock.now();
        if (wait > 0) await sleep(wait, signal, clock);
        signal.throwIfAborted();
        const answer = await post(destination, body, clock.now());
        notBefore = clock.now() + intervalMs;
        switch (answer.kind) {
          case 'taken':
            return;
          case 'refused':
            throw new NotDelivered(`${destination.kind} refuses the notification: ${answer.why}`);
          case 'later': {
            const afterMs = answer.afterMs ?? FIRST_WAIT_MS * 2 ** (attempt - 1);
            notBefore = clock.now() + Math.max(afterMs, intervalMs);
            if (attempt === ATTEMPTS || afterMs > LONGEST_WAIT_MS) {
              throw new NotDelivered(`${destination.kind} does not take the notification: ${answer.why}`);
            }
          }
        }
      }
    },
  };
}

/** A request that has started is let finish: nobody could say otherwise whether its message was taken. */
async function post({ kind, url, authorization }: Destination, body: string, now: number): Promise<Answer> {
  let response: Response;
  let text = '';
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(authorization === undefined ? {} : { authorization }) },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (kind === 'slack' && !response.ok) text = await response.text();
    else await response.body?.cancel();
  } catch (error) {
    return { kind: 'later', why: reasonOf(error), afterMs: undefined };
  }
  const { status } = response;
  if (response.ok) return { kind: 'taken' };
  const why = `HTTP status ${status}${SLACK_ERROR.test(text) ? ` ${text}` : ''}`;
  if (status === 429 || status >= 500) return { kind: 'later', why, afterMs: retryAfter(response, now) };
  return { kind: 'refused', why };
}

/** `invalid_payload`, `no_service`: other bodies are not repeated, as they may name the URL. */
const SLACK_ERROR = /^[a-z]+(_[a-z]+){0,8}$/;

function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer in ${TIMEOUT_MS / 1000} s`;
  const cause = error instanceof Error ? error.cause : undefined;
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' ? code : 'no connection';
}

/** Seconds, or a date: RFC 9110, 10.2.3. */
function retryAfter({ headers }: Response, now: number): number | undefined {
  const text = headers.get('retry-after');
  if (text === null) return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 1_000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
