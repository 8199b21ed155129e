import type { QueueOptions } from './service-bus/message-queue.ts';

/** How the Change Feed is written: how long a segment is (an hour in Azure) and how often records are appended. */
export interface FeedOptions {
  readonly segmentMs: number;
  readonly flushMs: number;
}

/** What the process of the stand-ins is started with: one JSON argument. */
export interface ServicesOptions {
  readonly blobPort: number;
  readonly azuritePort: number;
  readonly controlPort: number;
  readonly serviceBusPort: number;
  /** Kept between runs. */
  readonly folder: string;
  readonly feed: FeedOptions;
  readonly queue: QueueOptions;
  readonly inventoryEveryMs: number;
}
