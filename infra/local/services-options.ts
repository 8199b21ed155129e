import type { HubOptions } from './event-hubs/event-hub.ts';
import type { QueueOptions } from './service-bus/message-queue.ts';
import type { StorageOptions } from './storage/start-storage.ts';

/** How the Change Feed is written: `StorageOptions` says what each setting does. */
export type FeedOptions = StorageOptions['feed'];

/** What Event Grid delivers to: with both, it has a subscription for each. */
export const TRANSPORTS = ['service-bus', 'event-hubs', 'both'] as const;
export type Transport = (typeof TRANSPORTS)[number];

/** What the process of the stand-ins is started with: one JSON argument. */
export interface ServicesOptions {
  readonly blobPort: number;
  readonly azuritePort: number;
  readonly controlPort: number;
  readonly serviceBusPort: number;
  readonly eventHubsPort: number;
  readonly triggers: Transport;
  /** Kept between runs. */
  readonly folder: string;
  readonly feed: FeedOptions;
  /** As an account with a hierarchical namespace. @default false */
  readonly hierarchical?: boolean | undefined;
  readonly queue: QueueOptions;
  readonly hub: HubOptions;
  readonly inventoryEveryMs: number;
}
