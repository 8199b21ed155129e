import { z } from 'zod';
import type { Key } from '../../namespace/key.ts';
import { keyOfBlobUrl } from './blob-url.ts';
import { check, type Envelope } from './envelope.ts';

/**
 * A run of an inventory rule has ended. It is sent for runs that failed before they began as well, and has named
 * something other than a manifest: only a `Succeeded` one with a manifest is worth opening.
 */
export interface InventoryCompleted {
  readonly kind: 'inventory-completed';
  readonly account: string;
  readonly rule: string;
  /** `Succeeded`, `PartiallySucceeded` or `Failed`. */
  readonly status: string;
  readonly message: string;
  readonly manifest: Key | undefined;
  readonly eventId: string;
}

const completed = z.object({
  accountName: z.string().min(1),
  ruleName: z.string(),
  policyRunStatus: z.string(),
  policyRunStatusMessage: z.string().nullish(),
  manifestBlobUrl: z.string().nullish(),
});

/** The account is in the data: the topic of this event has been seen to be another resource. */
export function readInventoryCompleted(envelope: Envelope): InventoryCompleted {
  const data = check(completed, envelope.data, 'bad-event', 'data');
  const account = data.accountName.toLowerCase();
  const key = keyOfBlobUrl(data.manifestBlobUrl ?? '', account);
  return {
    kind: 'inventory-completed',
    account,
    rule: data.ruleName,
    status: data.policyRunStatus,
    message: data.policyRunStatusMessage ?? '',
    manifest: key?.name.endsWith('-manifest.json') ? key : undefined,
    eventId: envelope.id,
  };
}
