import { randomUUID } from 'node:crypto';
import { formatKey, type Key } from '../../../../namespace/key.ts';
import { ACCOUNT, TOPIC } from '../account.ts';
import type { Announcement } from '../change.ts';
import { type Stamp, sequencerOf } from '../sequencer-source.ts';
import { BATCH_ID } from './event-grid.ts';

/** The one event of a directory that was deleted or renamed, in the form of the specification's samples. */
export function directoryEvent(of: {
  readonly directory: Key;
  /** What it is called now; undefined where it was deleted. */
  readonly renamedTo?: Key | undefined;
  readonly recursive: boolean;
  readonly stamp: Stamp;
  readonly origin: string;
}): Announcement {
  const { directory, renamedTo, recursive, stamp, origin } = of;
  const url = (key: Key) => `${origin}/${ACCOUNT}/${formatKey(key).split('/').map(encodeURIComponent).join('/')}`;
  const requestId = randomUUID();
  const told =
    renamedTo === undefined
      ? { api: 'DeleteDirectory', url: url(directory), blobUrl: url(directory), recursive: String(recursive) }
      : {
          ...{ api: 'RenameDirectory', sourceUrl: url(directory), sourceBlobUrl: url(directory) },
          ...{ destinationUrl: url(renamedTo), destinationBlobUrl: url(renamedTo) },
        };
  const subject = renamedTo ?? directory;
  return {
    kind: 'announcement',
    time: stamp.time,
    event: {
      topic: TOPIC,
      subject: `/blobServices/default/containers/${subject.container}/blobs/${subject.name}`,
      eventType: `Microsoft.Storage.${renamedTo === undefined ? 'DirectoryDeleted' : 'DirectoryRenamed'}`,
      id: `${requestId.slice(0, 30)}06${(stamp.ticks & 0xffffn).toString(16).padStart(4, '0')}`,
      data: { ...told, requestId, sequencer: sequencerOf(stamp.ticks), storageDiagnostics: { batchId: BATCH_ID } },
      dataVersion: '1',
      metadataVersion: '1',
      eventTime: stamp.time,
    },
  };
}
