import type { QueueOptions } from './service-bus/message-queue.ts';
import type { StorageOptions } from './storage/start-storage.ts';

/** How the Change Feed is written: `StorageOptions` says what each setting does. */
export type FeedOptions = StorageOptions['feed'];

/** What the process of the stand-ins is started with: one JSON argument. */
export interface ServicesOptions {
  readonly blobPort: number;
  readonly azuritePort: number;
  readonly controlPort: number;
  readonly serviceBusPort: number;
  /** Kept between runs. */
  readonly folder: string;
  readonly feed: FeedOptions;
  /** As an account with a hierarchical namespace. @default false */
  readonly hierarchical?: boolean | undefined;
  readonly queue: QueueOptions;
  readonly inventoryEveryMs: number;
}
