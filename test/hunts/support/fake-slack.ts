import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SlackMessage } from '../../../src/hunts/watch/slack-blocks.ts';

/** An answer in place of the next one: status, body, headers. */
export type Answer = readonly [status: number, body: string, headers?: Readonly<Record<string, string>>];

/**
 * An incoming webhook as Slack has them: one secret path, JSON of Block Kit that is held against its documented bounds,
 * `ok` or the name of an error as plain text.
 */
export class FakeSlack {
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  readonly #path = '/services/T00000000/B00000000/MadeUpSecretOfTheWebhook';
  readonly #queued: Answer[] = [];
  readonly #waiting: (() => void)[] = [];
  #gate = Promise.resolve();
  /** What was accepted. */
  readonly messages: SlackMessage[] = [];
  /** All that came, refused or not. */
  requests = 0;

  static async start(): Promise<FakeSlack> {
    const slack = new FakeSlack();
    slack.#server.listen(0, '127.0.0.1');
    await once(slack.#server, 'listening');
    return slack;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${this.#path}`;
  }

  /** How the next requests are answered, one each. */
  answer(...answers: readonly Answer[]): void {
    this.#queued.push(...answers);
  }

  /** Requests get no answer until the returned function is called. */
  hold(): () => void {
    let open = () => {};
    this.#gate = new Promise((resolve) => (open = resolve));
    return () => open();
  }

  /** Resolves once so many requests have come. */
  async came(requests: number): Promise<void> {
    while (this.requests < requests) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += String(chunk);
    this.requests += 1;
    for (const wake of this.#waiting.splice(0)) wake();
    await this.#gate;
    const queued = this.#queued.shift();
    const [status, text, headers = {}] = queued ?? this.#judge(request, body);
    response.writeHead(status, { 'content-type': 'text/html', ...headers }).end(text);
  }

  #judge(request: IncomingMessage, body: string): Answer {
    if (request.url !== this.#path) return [404, 'no_service'];
    if (request.method !== 'POST' || request.headers['content-type'] !== 'application/json') {
      return [400, 'invalid_payload'];
    }
    const message = JSON.parse(body) as SlackMessage;
    if (message.text === '') return [400, 'no_text'];
    if (!message.blocks.every(isValid) || message.blocks.length > 50) return [400, 'invalid_blocks'];
    this.messages.push(message);
    return [200, 'ok'];
  }
}

/** https://docs.slack.dev/reference/block-kit/blocks */
function isValid(block: SlackMessage['blocks'][number]): boolean {
  const within = (text: string, most: number) => text.length > 0 && text.length <= most;
  switch (block.type) {
    case 'header':
      return within(block.text.text, 150);
    case 'section':
      return (
        within(block.text.text, 3000) &&
        (block.fields ?? []).length <= 10 &&
        (block.fields ?? []).every(({ text }) => within(text, 2000))
      );
    case 'context':
      return block.elements.length <= 10 && block.elements.every(({ text }) => within(text, 3000));
    case 'divider':
      return true;
  }
}
