import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blobSubject, parseBlobSubject } from '../../../schema/events/blob-subject.ts';
import { decodeTriggers } from '../../../schema/events/decode.ts';
import type { DecodedTrigger } from '../../../schema/events/trigger.ts';
import { hasRealData, REAL_DATA } from '../../support/real-data.ts';

const ACCOUNT = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/lake';

function eventGrid(type = 'BlobCreated', data: object = {}, subject = blobSubject({ container: 'c', name: 'n' })) {
  return {
    id: 'id-1',
    topic: ACCOUNT,
    subject,
    eventType: `Microsoft.Storage.${type}`,
    eventTime: '2026-01-02T03:04:05.6789012Z',
    dataVersion: '',
    metadataVersion: '1',
    data: {
      api: 'PutBlob',
      eTag: '"0x8D96060BDA19D9D"',
      contentType: 'text/plain',
      contentLength: 5,
      blobType: 'BlockBlob',
      sequencer: '0000000000000000000000000000B00D0000000005b058d3',
      ...data,
    },
  };
}

function cloudEvent(event: ReturnType<typeof eventGrid>) {
  const { topic: source, eventType: type, eventTime: time, dataVersion: _d, metadataVersion: _m, ...rest } = event;
  return { ...rest, source, type, time, specversion: '1.0' };
}

function readAll(body: unknown): readonly DecodedTrigger[] {
  const { read, refused } = decodeTriggers(body);
  expect(refused).toEqual([]);
  return read;
}

function one(body: unknown): DecodedTrigger {
  const [first, ...more] = readAll(body);
  if (first === undefined || more.length > 0) throw new Error('expected one');
  return first;
}

function effect(type: string, data: object): string {
  const decoded = one(eventGrid(type, data));
  if (decoded.kind === 'event') return decoded.event.effect;
  return decoded.kind === 'ignored' ? decoded.reason : decoded.kind;
}

function reasonFor(body: unknown): string {
  const [first] = decodeTriggers(body).refused;
  return first === undefined ? 'decoded' : `${first.reason}: ${first.message}`;
}

/** Raw names, whatever they hold. */
const blobName = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('/blobs/', '%2F', '?', '#', ' ', '\u00e9', 'e\u0301', '..', '+'),
    ),
  )
  .map((parts) => parts.join(''))
  .filter((name) => name !== '' && name.isWellFormed() && !name.includes('\u0000'));

describe('a trigger', () => {
  it('means the same in both schemas, as object, array, text and bytes', () => {
    fc.assert(
      fc.property(blobName, (name) => {
        const event = eventGrid('BlobCreated', {}, blobSubject({ container: 'c', name }));
        const expected = one(event);
        expect(expected).toMatchObject({ kind: 'event', account: 'lake', event: { container: 'c', name } });
        for (const body of [event, cloudEvent(event)]) {
          const text = JSON.stringify(body);
          expect([one(body), one([body]), one(text), one(`[${text}]`), one(Buffer.from(text))]).toEqual(
            Array.from({ length: 5 }, () => expected),
          );
        }
      }),
    );
  });

  it('keeps the name raw and divides its subject once', () => {
    fc.assert(
      fc.property(blobName, (name) => {
        expect(parseBlobSubject(blobSubject({ container: '$web', name }))).toEqual({ container: '$web', name });
      }),
    );
  });

  it('names its values: ETag without quotes, normalised sequencer, time in milliseconds', () => {
    expect(one(eventGrid())).toEqual({
      kind: 'event',
      account: 'lake',
      event: {
        kind: 'event',
        source: 'trigger',
        container: 'c',
        name: 'n',
        effect: 'put',
        attributes: { etag: '0x8D96060BDA19D9D', length: 5, blobType: 'BlockBlob', contentType: 'text/plain' },
        sequencer: '0000000000000000000000000000b00d0000000005b058d3',
        epoch: undefined,
        time: Date.parse('2026-01-02T03:04:05.678Z'),
        eventId: 'id-1',
        api: 'PutBlob',
      },
    });
  });

  it.each([
    ['BlobCreated', { api: 'PutBlockList' }, 'put'],
    ['BlobCreated', { api: 'FlushWithClose' }, 'put'],
    ['BlobCreated', { api: 'CopyBlob' }, 'put'],
    ['BlobCreated', { api: 'CopyBlob', blobUrl: 'https://lake.blob.core.windows.net/c/n' }, 'touch'],
    ['BlobCreated', { api: 'SomethingNew' }, 'touch'],
    ['BlobCreated', { api: 'CreateFile' }, 'not-yet-written'],
    ['BlobCreated', { api: 'SftpCreate' }, 'not-yet-written'],
    ['BlobCreated', { blobType: 'AppendBlob' }, 'touch'],
    ['BlobCreated', { blobType: 'PageBlob' }, 'touch'],
    ['BlobCreated', { blobType: 'SomethingNew' }, 'touch'],
    ['BlobCreated', { eTag: undefined }, 'touch'],
    ['BlobCreated', { contentLength: undefined }, 'touch'],
    ['BlobDeleted', { api: 'DeleteBlob', eTag: undefined, contentLength: undefined }, 'delete'],
    ['BlobDeleted', { api: 'SftpRemove', blobType: undefined }, 'delete'],
    ['BlobTierChanged', { api: 'SetBlobTier' }, 'touch'],
    ['BlobTierChanged', { api: 'SetBlobTier', accessTier: 'Cool' }, 'put'],
    ['AsyncOperationInitiated', { api: 'SetBlobTier' }, 'touch'],
    ['DirectoryCreated', { api: 'CreateDirectory' }, 'directory'],
    ['LifecyclePolicyCompleted', {}, 'not-a-blob'],
  ])('%s %j is a %s', (type, data, expected) => {
    expect(effect(type, data)).toBe(expected);
  });

  it('of a system container is noise, of $web and $root is not', () => {
    const subjectIn = (container: string) => eventGrid('BlobCreated', {}, blobSubject({ container, name: 'n' }));
    expect(one(subjectIn('$logs'))).toMatchObject({ kind: 'ignored', reason: 'system-container' });
    expect(one(subjectIn('$web'))).toMatchObject({ kind: 'event' });
    expect(one(subjectIn('$root'))).toMatchObject({ kind: 'event' });
  });

  it('of a rename changes both names, the old one without a clock', () => {
    const decoded = readAll(
      eventGrid('BlobRenamed', {
        api: 'RenameFile',
        eTag: undefined,
        contentLength: undefined,
        sourceUrl: 'https://lake.dfs.core.windows.net/c/old%20%25name',
      }),
    );
    expect(decoded).toMatchObject([
      { event: { name: 'n', effect: 'touch', sequencer: /./ } },
      { event: { name: 'old %name', effect: 'touch', sequencer: undefined } },
    ]);
  });

  it.each([
    ['{', 'not-json: '],
    [Buffer.from([0xff, 0xfe]), 'not-json: '],
    ['7', 'not-an-event: expected an event object, found a number'],
    ['null', 'not-an-event: expected an event object, found null'],
    ['[]', 'not-an-event: the array of events is empty'],
    [{}, 'not-an-event: the object has neither'],
    [{ ...eventGrid(), eventType: 'Contoso.Paid' }, "unknown-type: type: 'Contoso.Paid'"],
    [{ ...eventGrid(), id: 7 }, 'bad-event: id: '],
    [{ ...eventGrid(), data: null }, 'bad-event: data: '],
    [
      { ...eventGrid(), eventTime: 'yesterday' },
      "bad-event: eventTime or time: expected an ISO 8601 time, found 'yest",
    ],
    [{ ...eventGrid(), topic: '/subscriptions/s' }, 'bad-event: topic or source: '],
    [eventGrid('BlobCreated', { contentLength: '5' }), 'bad-event: data.contentLength: '],
    [eventGrid('BlobCreated', {}, '/blobServices/default/containers/c'), 'bad-event: subject: '],
    [eventGrid('BlobCreated', {}, blobSubject({ container: 'c', name: 'a\u0000b' })), 'unstorable-name: subject: '],
    [eventGrid('BlobCreated', {}, blobSubject({ container: 'c', name: 'a\ud800' })), 'unstorable-name: subject: '],
  ])('that cannot be applied says why: %j', (body, expected) => {
    expect(reasonFor(body).slice(0, expected.length)).toBe(expected);
  });

  // A client of Azure sends a string as JSON: in quotes.
  it.each([
    ['hello', `not-json: the body is a string that is not JSON: Unexpected token 'h', "hello" is not valid JSON`],
    [JSON.stringify(eventGrid()).slice(0, -9), 'not-json: the body is a string that is not JSON: '],
    ['', 'not-json: the body is empty'],
    ['"a"', 'not-an-event: expected an event object, found a string'],
    ['7', 'not-an-event: expected an event object, found a string'],
    ['["a"]', 'not-an-event: expected an event object, found a string'],
  ])('that was sent as the string %j says why', (text, expected) => {
    expect(reasonFor(Buffer.from(JSON.stringify(text))).slice(0, expected.length)).toBe(expected);
  });

  it.each(['', ' \n', new Uint8Array(), Buffer.from(' ')])('without a text says that it is empty: %j', (body) => {
    expect(reasonFor(body)).toBe('not-json: the body is empty');
  });

  it('is no string in an array, nor one in quotes', () => {
    for (const body of ['["x"]', Buffer.from('["x"]'), '"x"']) {
      expect(reasonFor(body)).toBe('not-an-event: expected an event object, found a string');
    }
  });

  it('of a type that is not known yet has its blob looked at, or is counted where it names none', () => {
    expect(one(eventGrid('BlobThawed', { api: 'ThawBlob' }))).toMatchObject({
      kind: 'event',
      event: {
        container: 'c',
        name: 'n',
        effect: 'touch',
        sequencer: undefined,
        attributes: undefined,
        api: 'ThawBlob',
      },
    });
    expect(one(eventGrid('PolicyDone', {}, 'BlobDataManagement/Policy'))).toMatchObject({
      kind: 'ignored',
      reason: 'unknown-type',
    });
    const logs = blobSubject({ container: '$logs', name: 'n' });
    expect(one(eventGrid('BlobThawed', {}, logs))).toMatchObject({ kind: 'ignored', reason: 'system-container' });
  });

  it('does not hold back those beside it', () => {
    const { read, refused } = decodeTriggers([eventGrid(), { ...eventGrid(), id: 7 }, 'x', eventGrid('BlobDeleted')]);
    expect(read).toMatchObject([{ event: { effect: 'put' } }, { event: { effect: 'delete' } }]);
    expect(refused.map(({ reason }) => reason)).toEqual(['bad-event', 'not-an-event']);
  });

  it('never fails otherwise, whatever the body', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.record({ eventType: fc.string(), data: fc.jsonValue() })), (body) => {
        expect(reasonFor(body)).toMatch(/^(decoded|not-json: |not-an-event: |bad-event: |unknown-type: )/);
      }),
    );
  });
});

describe.skipIf(!hasRealData)('the recorded triggers', () => {
  const read = (path: string): unknown => JSON.parse(readFileSync(join(REAL_DATA, path), 'utf8'));
  const folder = 'eventgrid/azure-rest-api-specs';

  it.each(
    hasRealData
      ? readdirSync(join(REAL_DATA, folder), { recursive: true, encoding: 'utf8' }).filter((path) =>
          path.endsWith('.json'),
        )
      : [],
  )('%s decodes', (path) => {
    expect(readAll(read(`${folder}/${path}`)).length).toBeGreaterThan(0);
  });

  it('say the same of one event in both schemas', () => {
    const [grid] = readAll(read(`${folder}/event-grid-schema/blob_created.json`));
    const [cloud] = readAll(read(`${folder}/cloud-events-schema/blob_created.json`));
    expect(grid).toMatchObject({
      account: 'jolovstorage',
      event: { name: 'Template1.xlsx', effect: 'put', attributes: { tier: 'Hot' } },
    });
    expect(cloud).toMatchObject({
      account: 'jolovstorage',
      event: { eventId: 'beb21a5e-401e-002b-3749-928517060431' },
    });
  });

  it('name the manifest of a completed inventory, and its account, whatever the topic', () => {
    expect(readAll(read('inventory/docs-samples/BlobInventoryPolicyCompleted.json'))).toEqual([
      {
        kind: 'inventory-completed',
        account: 'testaccount',
        rule: 'Rule_1',
        status: 'Succeeded',
        message: 'Inventory run succeeded, refer manifest file for inventory details.',
        manifest: {
          container: 'inventory-destination-container',
          name: '2021/05/26/13-25-36/Rule_1/Rule_1-manifest.json',
        },
        eventId: 'xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx',
      },
    ]);
  });

  it('without a time are refused', () => {
    expect(reasonFor(read('eventgrid/docs-samples/deadletter_cloudevents_schema.json'))).toMatch(/^bad-event: time: /);
  });
});
