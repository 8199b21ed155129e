import type { Timestamp } from '../../../namespace/entry.ts';
import { parseBlobSubject } from '../../../schema/events/blob-subject.ts';
import type { FeedWindow } from '../walk/walk-feed.ts';

export interface Wanted extends FeedWindow {
  /** A plain prefix of `container/name`. */
  readonly prefix?: string | undefined;
}

/** What is asked of a record, in whatever schema: every field may be absent or of another type. */
interface Loose {
  readonly eventTime?: unknown;
  readonly subject?: unknown;
}

/** Whether a record is asked for. One whose time cannot be read is, at any time: it is better seen than lost. */
export function isWanted(record: unknown, { from, to, prefix }: Wanted): boolean {
  const { eventTime, subject }: Loose = typeof record === 'object' && record !== null ? record : {};
  if (from !== undefined || to !== undefined) {
    const time: Timestamp = typeof eventTime === 'string' ? Date.parse(eventTime) : Number.NaN;
    if (time < (from ?? Number.NEGATIVE_INFINITY) || time >= (to ?? Number.POSITIVE_INFINITY)) return false;
  }
  return prefix === undefined || prefix === '' || (typeof subject === 'string' && nameOf(subject).startsWith(prefix));
}

/** `container/name`; `container/` for a record about a container. */
function nameOf(subject: string): string {
  const key = parseBlobSubject(subject);
  if (key !== undefined) return `${key.container}/${key.name}`;
  const container = /\/containers\/([^/]+)$/.exec(subject)?.[1];
  return container === undefined ? '' : `${container}/`;
}
