import { z } from 'zod';
import type { Key } from '../../namespace/key.ts';

/**
 * What a `BlobInventoryPolicyCompleted` event says. It is sent as well when a run failed before it started:
 * there is a manifest to open only where one is named.
 */
export interface InventoryCompletion {
  readonly account: string;
  readonly rule: string;
  readonly succeeded: boolean;
  /** Azure's words where the run did not succeed. */
  readonly message: string;
  readonly manifest: Key | undefined;
}

const schema = z.object({
  accountName: z.string(),
  ruleName: z.string(),
  policyRunStatus: z.string(),
  policyRunStatusMessage: z.string().nullish(),
  manifestBlobUrl: z.string().nullish(),
});

/**
 * Reads the `data` of the event, of Event Grid's schema or CloudEvents' (they are the same).
 *
 * @throws Error with the field where the data is not of this event.
 */
export function parseCompletion(data: unknown): InventoryCompletion {
  const parsed = schema.safeParse(data);
  if (!parsed.success) {
    const problem = parsed.error.issues[0];
    throw new Error(`no inventory completion: ${problem?.path.join('.') || 'data'}: ${problem?.message}`);
  }
  const { accountName, ruleName, policyRunStatus, policyRunStatusMessage, manifestBlobUrl } = parsed.data;
  return {
    account: accountName,
    rule: ruleName,
    succeeded: policyRunStatus.toLowerCase() === 'succeeded',
    message: policyRunStatusMessage ?? policyRunStatus,
    manifest: manifestBlobUrl ? keyOfUrl(manifestBlobUrl, accountName) : undefined,
  };
}

/** The blob of a URL; a path-style address (an emulator's) has the account as its first part. */
function keyOfUrl(url: string, account: string): Key | undefined {
  if (!URL.canParse(url)) return undefined;
  const parts = new URL(url).pathname.split('/').slice(1).map(decodeURIComponent);
  if (parts[0] === account) parts.shift();
  const [container, ...name] = parts;
  return container && name.length > 0 ? { container, name: name.join('/') } : undefined;
}
