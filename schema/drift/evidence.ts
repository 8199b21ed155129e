import type { Timestamp } from '../../namespace/entry.ts';

/** One version of a blob, as far as somebody knew it. */
export interface SeenVersion {
  readonly etag?: string | undefined;
  readonly length?: number | undefined;
  readonly lastModified?: Timestamp | undefined;
  readonly blobType?: string | undefined;
  readonly tier?: string | undefined;
  /** Of a sink: `stub`, `hydrated`, `foreign`. */
  readonly state?: string | undefined;
}

/** What is kept with a finding, so that its cause can be checked by a person. Absent parts were not there. */
export interface Evidence {
  /** What the judge saw; absent where it did not list the name. */
  readonly judge?: SeenVersion | undefined;
  /** What the index said when it was compared; absent where there was no entry. `live` false is a tombstone. */
  readonly index?:
    | (SeenVersion & { readonly live: boolean; readonly seen: Timestamp; readonly source: string })
    | undefined;
  /** What the sink had. */
  readonly sink?: SeenVersion | undefined;
  /** How far each source was heard when the judge began: triggers by the newest one, the feed by its applied time. */
  readonly heard?: { readonly trigger?: Timestamp | undefined; readonly feed?: Timestamp | undefined } | undefined;
  /** What the look said, once it did; `live` false is a 404. */
  readonly look?: (SeenVersion & { readonly live: boolean; readonly at?: Timestamp | undefined }) | undefined;
  /** Why a look could not be had, or anything else that a person should know. */
  readonly note?: string | undefined;
}
