import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventsOf } from '../../../infra/local/storage/events/event-grid.ts';
import { recordOf } from '../../../infra/local/storage/feed/record.ts';
import { describeChange } from '../../../infra/local/storage/front/describe-change.ts';
import { SequencerSource } from '../../../infra/local/storage/sequencer-source.ts';
import { isSameRequest } from '../../../namespace/trust.ts';
import { decodeTriggers } from '../../../schema/events/decode.ts';
import { readRecord } from '../../../schema/feed/record.ts';
import { hasRealData, REAL_DATA } from '../../support/real-data.ts';

const clock = { now: () => Date.UTC(2026, 0, 1), sleep: async () => {} };

describe('one change of the embedded account', () => {
  it('is of one request and has one sequencer in both sources, as they are read', () => {
    const change = describeChange({
      operation: {
        kind: 'change',
        api: 'PutBlob',
        key: { container: 'lake', name: 'a' },
        path: '/lake/a',
        fromUrl: false,
      },
      request: { 'content-length': '3', 'x-ms-blob-type': 'BlockBlob' },
      bodyBytes: 3,
      answer: { etag: '"0x1"', 'x-ms-request-id': '3626e710-c01e-005c-794a-920056123456' },
      facts: undefined,
      containerVersion: '01D628ACFCF04929',
      stamp: new SequencerSource(clock).next(),
    });
    const [told] = eventsOf(change, 'http://127.0.0.1', false);
    const record = recordOf(change);
    expect(isSameRequest(told?.id ?? '', change.requestId)).toBe(true);
    expect(isSameRequest(record.id, change.requestId)).toBe(true);

    const [trigger] = decodeTriggers(told).read;
    const { change: read } = readRecord(record, { path: 'a chunk', offset: 0, index: 0 }, 'feed');
    if (trigger?.kind !== 'event' || !('kind' in read)) throw new Error('one of the two is no event');
    expect(isSameRequest(trigger.event.eventId, read.eventId)).toBe(true);
    expect(trigger.event.sequencer).toBe(read.sequencer);
    expect([trigger.event.effect, trigger.event.time]).toEqual([read.effect, read.time]);
  });
});

describe.skipIf(!hasRealData)('a recorded event', () => {
  it('has an id that begins as its request does, in Event Grid as in the feed', () => {
    const feed = JSON.parse(readFileSync(join(REAL_DATA, 'changefeed/schemas/decoded-record-samples.json'), 'utf8'));
    const folder = join(REAL_DATA, 'eventgrid/azure-rest-api-specs/event-grid-schema');
    const events = readdirSync(folder).flatMap((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));
    const told = [...Object.values(feed), ...events] as { id: string; data: { requestId?: string } }[];
    const both = told.filter(({ data }) => data.requestId !== undefined);
    expect(both.length).toBeGreaterThan(5);
    for (const { id, data } of both) expect([id, isSameRequest(id, data.requestId ?? '')]).toEqual([id, true]);
  });
});
