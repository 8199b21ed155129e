import type avro from 'avsc';

const nullable = (type: avro.Schema) => ['null', type] as avro.Schema;
const strings = { type: 'map', values: 'string' } as const;
const symbols = (name: string, ...words: string[]) => ({ type: 'enum', name, symbols: words }) as avro.Schema;

interface Version {
  readonly events: readonly string[];
  readonly apis: readonly string[];
  readonly fields: readonly { readonly name: string; readonly type: avro.Schema }[];
}

const V1: Version = {
  events: ['UnspecifiedEventType', 'BlobCreated', 'BlobDeleted', 'BlobMetadataUpdated', 'Control'],
  apis: ['UnspecifiedApi', 'PutBlob', 'PutBlockList', 'CopyBlob', 'DeleteBlob', 'SetBlobMetadata', 'ControlEvent'],
  fields: [
    { name: 'url', type: 'string' },
    { name: 'sequencer', type: 'string' },
    { name: 'storageDiagnostics', type: strings },
  ],
};

function later(before: Version, events: string[], apis: string[], fields: Version['fields'] = []): Version {
  return {
    events: [...before.events, ...events],
    apis: [...before.apis, ...apis],
    fields: [...before.fields, ...fields],
  };
}

const V3 = later(
  { ...V1, events: V1.events.filter((event) => event !== 'BlobMetadataUpdated') },
  ['BlobPropertiesUpdated', 'BlobSnapshotCreated'],
  ['UndeleteBlob', 'SetBlobProperties', 'SnapshotBlob'],
  [
    { name: 'previousInfo', type: nullable(strings) },
    { name: 'snapshot', type: nullable('string') },
    {
      name: 'blobPropertiesUpdated',
      type: nullable({
        type: 'map',
        values: {
          type: 'record',
          name: 'values',
          fields: [
            { name: 'current', type: 'string' },
            { name: 'previous', type: 'string' },
          ],
        },
      }),
    },
  ],
);
export const V4 = later(
  V3,
  ['BlobTierChanged', 'BlobAsyncOperationInitiated'],
  ['SetBlobTier', 'AbortCopyBlob'],
  [
    { name: 'blobVersion', type: nullable('string') },
    { name: 'containerVersion', type: nullable('string') },
    { name: 'blobTier', type: nullable(symbols('BlobTierEnum', 'UnspecifiedBlobTier', 'Hot', 'Cool', 'Archive')) },
    { name: 'asyncOperationInfo', type: nullable(strings) },
  ],
);
const tagsUpdated = {
  type: 'record',
  name: 'BlobTagsUpdated',
  fields: [
    { name: 'previous', type: strings },
    { name: 'current', type: strings },
  ],
} as avro.Schema;
const marker = {
  type: 'record',
  name: 'RestorePointMarker',
  fields: ['rpi', 'rpp', 'rpl', 'rpt'].map((name) => ({ name, type: 'string' })),
} as avro.Schema;
const V5 = later(
  V4,
  ['RestorePointMarkerCreated'],
  ['SetBlobTags', 'CreateRestorePointMarker'],
  [
    { name: 'blobTagsUpdated', type: nullable(tagsUpdated) },
    { name: 'restorePointMarker', type: nullable(marker) },
  ],
);
const V6 = later(
  V5,
  ['AppendBlobDataUpdated'],
  ['AppendBlock'],
  [
    { name: 'contentOffset', type: nullable('long') },
    { name: 'createTime', type: nullable('string') },
  ],
);
const V7 = later(
  V6,
  ['BlobLastAccessTimeUpdated'],
  ['UpdateLastAccessTime'],
  [{ name: 'lastAccessTime', type: nullable('string') }],
);
const V8 = later(
  V7,
  ['ContainerCreated', 'ContainerDeleted', 'ContainerPropertiesUpdated'],
  ['CreateContainer', 'DeleteContainer', 'SetContainerMetadata', 'RestoreContainer'],
  [{ name: 'restoredContainerVersion', type: nullable('string') }],
);
/** Nobody has seen it: a type, words, fields and a shape of name that no reader knows. */
const V9 = later(
  V8,
  ['BlobTeleported'],
  ['Teleport'],
  [
    // Refers to a type that a field defines which no reader keeps.
    { name: 'tagsBefore', type: nullable('Microsoft.Storage.BlobTagsUpdated') },
    { name: 'numbers', type: { type: 'array', items: ['null', 'double', 'bytes'] } as avro.Schema },
    { name: 'digest', type: nullable({ type: 'fixed', name: 'Digest', size: 16 }) },
  ],
);

/** Every schema version that was seen or told of, and one that was not. */
export const VERSIONS: ReadonlyMap<number, Version> = new Map([
  [1, V1],
  [3, V3],
  [4, V4],
  [5, V5],
  [6, V6],
  [7, V7],
  [8, V8],
  [9, V9],
]);

export function schemaOf({ events, apis, fields }: Version): avro.Schema {
  const data = {
    type: 'record',
    name: 'BlobChangeEventData',
    fields: [
      { name: 'api', type: symbols('ApiEnum', ...apis) },
      ...['clientRequestId', 'requestId', 'etag', 'contentType'].map((name) => ({ name, type: 'string' })),
      { name: 'contentLength', type: 'long' },
      {
        name: 'blobType',
        type: symbols('BlobTypeEnum', 'UnspecifiedBlobType', 'BlockBlob', 'PageBlob', 'AppendBlob', 'NewBlob'),
      },
      ...fields,
    ],
  } as avro.Schema;
  return {
    type: 'record',
    name: 'BlobChangeEvent',
    namespace: 'Microsoft.Storage',
    fields: [
      { name: 'schemaVersion', type: 'long' },
      { name: 'topic', type: 'string' },
      { name: 'subject', type: 'string' },
      { name: 'eventType', type: symbols('EventTypeEnum', ...events) },
      { name: 'eventTime', type: 'string' },
      { name: 'id', type: 'string' },
      { name: 'data', type: data },
    ],
  };
}
