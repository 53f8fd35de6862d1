import { isEvidence } from './evidence.ts';
import { type Glob, hasWildcard, parseGlob } from './glob.ts';
import { atEnd, begun, descend } from './glob-steps.ts';

/** What one `s3://bucket/…` of the configuration means. */
export interface BucketPath {
  /** As configured: for messages. */
  readonly text: string;
  readonly bucket: string;
  /** What the keys begin with, up to the first wildcard. */
  readonly prefix: string;
  /** Without wildcards: some key has to begin with it. */
  readonly literal: boolean;
  /** `meant`: evidence; `other`: the path covers it, but its name does not end as those of evidence do. */
  covers(key: string): 'meant' | 'other' | undefined;
  /** A key below the folder may be covered; `folder` ends in a slash. */
  mayCoverBelow(folder: string): boolean;
}

export function isBucketPath(path: string): boolean {
  return path.startsWith('s3://');
}

/**
 * A path without wildcards is a prefix, as S3 understands one: all keys that begin with it. With wildcards it is a glob,
 * as of files.
 */
export function parseBucketPath(text: string): BucketPath {
  const [bucket = '', ...rest] = text.slice('s3://'.length).split('/');
  const key = rest.join('/');
  if (hasWildcard(key)) return globbed(text, bucket, key);
  return {
    text,
    bucket,
    prefix: key,
    literal: true,
    covers: (other) => (!other.startsWith(key) ? undefined : other === key || isEvidence(other) ? 'meant' : 'other'),
    mayCoverBelow: (folder) => folder.startsWith(key) || key.startsWith(folder),
  };
}

function globbed(text: string, bucket: string, key: string): BucketPath {
  const globs = parseGlob(`/${key}`);
  const steps = (path: string) => path.split('/').reduce(descend, globs.map(begun));
  return {
    text,
    bucket,
    prefix: key.slice(0, key.search(/[*?[{]/)),
    literal: false,
    covers: (other) => {
      const ends = steps(other).filter(atEnd);
      if (ends.length === 0) return undefined;
      return ends.some(({ glob }: { readonly glob: Glob }) => !glob.anyName || isEvidence(other)) ? 'meant' : 'other';
    },
    mayCoverBelow: (folder) => steps(folder.slice(0, -1)).length > 0,
  };
}
