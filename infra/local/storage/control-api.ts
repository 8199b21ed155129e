import { z } from 'zod';
import { parseKey } from '../../../namespace/key.ts';
import type { Faults } from './faults.ts';

/** What the front says of itself. */
export interface StorageState {
  /** Changes whose event is not published yet. */
  readonly pendingTriggers: number;
  /** Changes that are not wholly in the feed yet. */
  readonly pendingFeedRecords: number;
  readonly published: number;
  readonly dropped: number;
  /** Events that went to the dead-letter container instead of being published. */
  readonly deadLettered: number;
  /** Changes that were recorded since the state folder was made. */
  readonly changes: number;
  readonly feed: { readonly openSegment: string | null; readonly error: string | null };
  readonly triggers: { readonly error: string | null };
  readonly azurite: { readonly pid: number | null; readonly restarts: number };
  readonly faults: Faults;
}

/** The body of `POST /inventory/run`; all of it may be left out. */
export const inventoryBodySchema = z.strictObject({
  format: z.enum(['csv', 'parquet']).optional(),
  container: z.string().min(3).optional(),
  rule: z.string().min(1).optional(),
  filesOf: z.number().int().min(1).optional(),
  status: z.enum(['Succeeded', 'PartiallySucceeded', 'Failed']).optional(),
});

export type InventoryBody = z.input<typeof inventoryBodySchema>;

/** The body of `POST /triggers/replay`. */
export const replayBodySchema = z.strictObject({ times: z.number().int().min(1).default(1) });

const directory = z
  .string()
  .regex(/^[^/]+\/.*[^/]$/s, 'must be container/directory, without a closing slash')
  .transform((text) => parseKey(text));

/** The body of `POST /directories/rename`: both as `container/directory`. */
export const renameDirectoryBodySchema = z.strictObject({ from: directory, to: directory });

/** The body of `POST /directories/delete`. */
export const deleteDirectoryBodySchema = z.strictObject({ directory, recursive: z.boolean().default(true) });
