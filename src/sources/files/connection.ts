/** A connection of kind files, as the configuration gives it. */
export interface FilesConnection {
  readonly name: string;
  /** Absolute: files, folders, globs; or `s3://bucket/prefix`. */
  readonly paths: readonly string[];
  /** How late CloudTrail may have delivered, in milliseconds; `none`: nothing is assumed. */
  readonly deliverySlackMs: number | 'none';
}
