import { CommanderError } from 'commander';
import { TrailhoundError } from '../kernel/errors.ts';

export const STATUS = {
  done: 0,
  failed: 1,
  /** Wrong usage or configuration. */
  usage: 2,
  /** `--fail-on`: a hunt had rows. */
  found: 3,
  /** 128 + SIGINT, as shells have it. */
  interrupted: 130,
} as const;

export type Status = (typeof STATUS)[keyof typeof STATUS];

/** Thrown where a command has said all there is to say. */
export class Exit extends Error {
  readonly status: Status;

  constructor(status: Status) {
    super(`exit status ${status}`);
    this.status = status;
  }
}

export function statusOf(error: unknown): Status {
  if (error instanceof Exit) return error.status;
  if (error instanceof CommanderError) return error.exitCode === 0 ? STATUS.done : STATUS.usage;
  return error instanceof TrailhoundError && error.code === 'configuration' ? STATUS.usage : STATUS.failed;
}
