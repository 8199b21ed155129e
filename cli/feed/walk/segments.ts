import type { Timestamp } from '../../../namespace/entry.ts';
import { SEGMENTS, segmentTime } from '../../../schema/feed/segment-path.ts';
import { parseSegments, SEGMENTS_FILE } from '../../../schema/feed/segments.ts';
import type { FeedStore } from '../../../schema/ports/feed-store.ts';
import { type Broken, broken, brokenBy } from './broken.ts';

/** A segment as the service lists it. */
export interface ListedSegment {
  readonly kind: 'segment';
  /** Of its manifest. */
  readonly path: string;
  readonly begin: Timestamp;
  /** When the next one that may be read begins; none for the newest. */
  readonly until: Timestamp | undefined;
}

/** Segments that were opened after `lastConsumable`, which are not to be read yet. */
export interface NotYet {
  readonly kind: 'not-yet';
  readonly segments: number;
}

/** The segments that may be read, in order: all that are listed where nothing readable says how far that is. */
export async function* listSegments(
  store: FeedStore,
  signal: AbortSignal,
): AsyncGenerator<ListedSegment | NotYet | Broken> {
  const last = await readLastConsumable(store, signal);
  if (typeof last === 'object') yield last;
  let held: { readonly path: string; readonly begin: Timestamp } | undefined;
  let notYet = 0;
  let listed = false;
  for await (const { path } of store.list(SEGMENTS, signal)) {
    listed = true;
    const begin = segmentTime(path);
    if (begin === undefined) continue;
    if (typeof last === 'number' && begin > last) {
      notYet++;
      continue;
    }
    if (held !== undefined) yield { kind: 'segment', ...held, until: begin };
    held = { path, begin };
  }
  // A feed that was just switched on has the initialisation record of 1601.
  if (typeof last === 'number' && !listed) {
    yield broken(SEGMENTS, 0, `nothing is there, though ${SEGMENTS_FILE} tells of segments`);
  }
  if (last === undefined && (held !== undefined || notYet > 0)) yield broken(SEGMENTS_FILE, 0, 'it is missing');
  if (held !== undefined) yield { kind: 'segment', ...held, until: undefined };
  if (notYet > 0) yield { kind: 'not-yet', segments: notYet };
}

/** @returns undefined where there is no such file: a feed that was just switched on has none. */
async function readLastConsumable(store: FeedStore, signal: AbortSignal): Promise<Timestamp | Broken | undefined> {
  try {
    const file = await store.readText(SEGMENTS_FILE, {}, signal);
    return file === undefined || file === 'unchanged' ? undefined : parseSegments(file.text).lastConsumable;
  } catch (error) {
    const damage = brokenBy(error, SEGMENTS_FILE);
    if (damage === undefined) throw error;
    return damage;
  }
}
