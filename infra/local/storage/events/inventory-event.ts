import { randomUUID } from 'node:crypto';
import { ACCOUNT, TOPIC } from '../account.ts';
import type { Announcement } from '../change.ts';

/** How an inventory run ended, in the words of the manifest and of the event. */
export type RunStatus = 'Succeeded' | 'PartiallySucceeded' | 'Failed';

const MESSAGES: Readonly<Record<RunStatus, string>> = {
  Succeeded: 'Inventory run succeeded, refer manifest file for inventory details.',
  PartiallySucceeded: 'Inventory run partially succeeded, refer manifest file for inventory details.',
  Failed: 'Inventory run failed.',
};

/** The `BlobInventoryPolicyCompleted` of a run, in the form of the documentation's sample. Times have no fraction. */
export function inventoryCompleted(run: {
  readonly scheduledAt: Date;
  readonly completedAt: Date;
  readonly rule: string;
  readonly status: RunStatus;
  readonly manifestUrl: string;
}): Announcement {
  const time = wholeSeconds(run.completedAt);
  return {
    kind: 'announcement',
    time,
    event: {
      topic: TOPIC,
      subject: 'BlobDataManagement/BlobInventory',
      eventType: 'Microsoft.Storage.BlobInventoryPolicyCompleted',
      id: randomUUID(),
      data: {
        scheduleDateTime: wholeSeconds(run.scheduledAt),
        accountName: ACCOUNT,
        ruleName: run.rule,
        policyRunStatus: run.status,
        policyRunStatusMessage: MESSAGES[run.status],
        policyRunId: randomUUID(),
        manifestBlobUrl: run.manifestUrl,
      },
      dataVersion: '1.0',
      metadataVersion: '1',
      eventTime: time,
    },
  };
}

/** `2021-05-28T03:50:27Z`, as manifests, reports and this event print times. */
export function wholeSeconds(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
