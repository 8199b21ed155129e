/**
 * The schema of version 4 of the Change Feed, key for key as it stands in the header of every chunk that the
 * service wrote in 2020: order matters, because the header holds its JSON text.
 */
export const FEED_SCHEMA = {
  type: 'record',
  name: 'BlobChangeEvent',
  namespace: 'Microsoft.Storage',
  fields: [
    {
      name: 'schemaVersion',
      type: 'long',
      default: 4,
    },
    {
      name: 'topic',
      type: 'string',
      default: '',
    },
    {
      name: 'subject',
      type: 'string',
      default: '',
    },
    {
      name: 'eventType',
      type: {
        type: 'enum',
        name: 'EventTypeEnum',
        symbols: [
          'UnspecifiedEventType',
          'BlobCreated',
          'BlobDeleted',
          'BlobPropertiesUpdated',
          'BlobSnapshotCreated',
          'Control',
          'BlobTierChanged',
          'BlobAsyncOperationInitiated',
        ],
        default: 'UnspecifiedEventType',
      },
    },
    {
      name: 'eventTime',
      type: 'string',
      default: '',
    },
    {
      name: 'id',
      type: 'string',
      default: '',
    },
    {
      name: 'data',
      type: {
        type: 'record',
        name: 'BlobChangeEventData',
        fields: [
          {
            name: 'api',
            type: {
              type: 'enum',
              name: 'ApiEnum',
              symbols: [
                'UnspecifiedApi',
                'PutBlob',
                'PutBlockList',
                'CopyBlob',
                'DeleteBlob',
                'SetBlobMetadata',
                'ControlEvent',
                'UndeleteBlob',
                'SetBlobProperties',
                'SnapshotBlob',
                'SetBlobTier',
                'AbortCopyBlob',
              ],
              default: 'UnspecifiedApi',
            },
            default: 'UnspecifiedApi',
          },
          {
            name: 'clientRequestId',
            type: 'string',
            default: '',
          },
          {
            name: 'requestId',
            type: 'string',
            default: '',
          },
          {
            name: 'etag',
            type: 'string',
            default: '',
          },
          {
            name: 'contentType',
            type: 'string',
            default: '',
          },
          {
            name: 'contentLength',
            type: 'long',
            default: 0,
          },
          {
            name: 'blobType',
            type: {
              type: 'enum',
              name: 'BlobTypeEnum',
              symbols: ['UnspecifiedBlobType', 'BlockBlob', 'PageBlob', 'AppendBlob'],
              default: 'UnspecifiedBlobType',
            },
            default: 'UnspecifiedBlobType',
          },
          {
            name: 'blobVersion',
            type: ['null', 'string'],
            default: null,
          },
          {
            name: 'containerVersion',
            type: ['null', 'string'],
            default: null,
          },
          {
            name: 'blobTier',
            type: [
              'null',
              {
                type: 'enum',
                name: 'BlobTierEnum',
                symbols: ['UnspecifiedBlobTier', 'Hot', 'Cool', 'Archive'],
                default: 'UnspecifiedBlobTier',
              },
            ],
            default: null,
          },
          {
            name: 'url',
            type: 'string',
            default: '',
          },
          {
            name: 'sequencer',
            type: 'string',
            default: '',
          },
          {
            name: 'previousInfo',
            type: [
              'null',
              {
                type: 'map',
                values: 'string',
              },
            ],
            default: null,
          },
          {
            name: 'snapshot',
            type: ['null', 'string'],
            default: null,
          },
          {
            name: 'blobPropertiesUpdated',
            type: [
              'null',
              {
                type: 'map',
                values: {
                  type: 'record',
                  name: 'values',
                  fields: [
                    {
                      name: 'current',
                      type: 'string',
                      default: '',
                    },
                    {
                      name: 'previous',
                      type: 'string',
                      default: '',
                    },
                  ],
                },
              },
            ],
            default: null,
          },
          {
            name: 'asyncOperationInfo',
            type: [
              'null',
              {
                type: 'map',
                values: 'string',
              },
            ],
            default: null,
          },
          {
            name: 'storageDiagnostics',
            type: {
              type: 'map',
              values: 'string',
            },
            default: {},
          },
        ],
      },
    },
  ],
} as const;

/** The text in a chunk's header. */
export const FEED_SCHEMA_TEXT = JSON.stringify(FEED_SCHEMA);

export const FEED_SCHEMA_VERSION = 4;
