import { AzureFeedStore } from '../../activities/azure/azure-feed-store.ts';
import { blobService } from '../../activities/azure/blob-service.ts';
import { AzureBlobSource } from '../../activities/azure/blob-source.ts';
import { findSegment } from '../../activities/azure/feed-find.ts';
import type { Timestamp } from '../../namespace/entry.ts';
import { IsthmusError } from '../../schema/errors.ts';
import type { Federation } from '../../schema/federation/federation.ts';
import type { Clock } from '../../schema/ports/clock.ts';

/** Where the sources stand as a rebuild begins. */
export interface Start {
  /** The account's own time. */
  readonly now: Timestamp;
  /**
   * The segment that holds all that happens from now on, and some before; undefined where no feed is read, or where it
   * has no segment yet, so that all of it is of later.
   */
  readonly segment: string | undefined;
}

/**
 * What is listed after this moment has everything that happened before it, so that the feed is read from here on. Only
 * reads.
 */
export async function pinFeed(federation: Federation, clock: Clock, signal: AbortSignal): Promise<Start> {
  const service = blobService(federation.account);
  const { value: first } = await new AzureBlobSource(service).listContainers(signal).next();
  if (first === undefined) throw new IsthmusError('ISTHMUS_SOURCE_UNAVAILABLE', 'The account lists no containers.');
  const now = first.time;
  if (federation.sources.changeFeed === undefined) return { now, segment: undefined };
  const from = now - federation.account.marginSeconds * 1_000;
  return { now, segment: await findSegment({ feed: new AzureFeedStore(service), clock }, from, signal) };
}
