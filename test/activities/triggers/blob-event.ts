import { blobSubject } from '../../../schema/events/blob-subject.ts';

/** A created blob as Event Grid tells it: `blob-NUMBER`, with that number as its sequencer. */
export function blobEvent(number: number, more: { readonly time?: number; readonly data?: object } = {}) {
  return {
    id: `id-${number}`,
    topic: '/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/lake',
    subject: blobSubject({ container: 'c', name: `blob-${number}` }),
    eventType: 'Microsoft.Storage.BlobCreated',
    eventTime: new Date(more.time ?? Date.now()).toISOString(),
    data: {
      api: 'PutBlob',
      eTag: `0x${number.toString(16)}`,
      contentLength: 1,
      blobType: 'BlockBlob',
      sequencer: number.toString(16).padStart(48, '0'),
      ...more.data,
    },
  };
}
