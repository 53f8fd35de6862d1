/** What the backend was sent, by the reply that it will give. */
export type ReplyKind =
  | 'parse'
  | 'bind'
  | 'close'
  | 'describe'
  | 'execute'
  | 'sync'
  | 'query'
  | 'function-call'
  /** CopyDone or CopyFail sent before the backend asked for data: ends its copy, has no reply of its own. */
  | 'copy-end';

/** skipped: the backend discards the message, since an earlier one failed. */
export type Outcome = 'done' | 'failed' | 'skipped';

export interface ReplyFilter {
  /** Types (codes) that come whole to `apply`; all others are relayed as they are. */
  takes(type: number): boolean;
  /** Header included, in and out: what the client gets instead. */
  apply(type: number, message: Buffer): readonly Buffer[];
}

/** One message sent to the backend whose reply is still to come. */
export interface Expected {
  readonly kind: ReplyKind;
  /** Of our own, and no part of what the client wants to run. */
  readonly injected?: boolean | undefined;
  /** Without one the client gets the reply byte for byte. */
  readonly filter?: ReplyFilter | undefined;
  /** Called once, after the last message of the reply was passed on. */
  readonly onEnd?: ((outcome: Outcome) => void) | undefined;
}
