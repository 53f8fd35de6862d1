/** What is compressed is broken, or goes on as something else. */
export class NotDecompressible extends Error {
  /** Bytes of the file, as it is stored, before that which cannot be read. */
  readonly at: number;

  /** @param reason in lower case, without a full stop */
  constructor(reason: string, at: number) {
    super(reason);
    this.at = at;
  }
}

export const ENDS_EARLY = 'unexpected end of file';
