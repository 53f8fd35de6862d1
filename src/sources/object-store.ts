import type { CallContext } from './source.ts';

/** Buckets as a source of files sees them: who may read them, and where they stand, is the store's own affair. */
export interface ObjectStore {
  /** One page of the keys that begin with a prefix. */
  list(request: ListRequest, context: CallContext): Promise<ObjectPage>;
  /** A part of an object, whole: what breaks off midway has been asked for again. */
  read(request: ReadRequest, context: CallContext): Promise<ObjectPart>;
}

export interface ListRequest {
  readonly bucket: string;
  readonly prefix: string;
  /** Keys with a further slash are told by their folder alone. */
  readonly byFolder: boolean;
  /** What the page before gave as `next`. */
  readonly after: string | undefined;
}

export interface ObjectPage {
  readonly objects: readonly { readonly key: string; readonly size: number }[];
  /** Each ends in a slash. */
  readonly folders: readonly string[];
  readonly next: string | undefined;
}

export interface ReadRequest {
  readonly bucket: string;
  readonly key: string;
  readonly from: number;
  /** The part ends here, or where the object does. */
  readonly before: number;
  /** Of the part before: one that has become another object meanwhile is not read on. */
  readonly etag: string | undefined;
}

export interface ObjectPart {
  readonly bytes: Uint8Array;
  /** Bytes of the whole object. */
  readonly total: number;
  readonly etag: string | undefined;
}
