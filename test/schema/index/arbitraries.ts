import fc from 'fast-check';
import type { BlobEvent } from '../../../namespace/change.ts';
import type { Attributes } from '../../../namespace/entry.ts';
import { epochAt } from '../../../namespace/epoch.ts';
import { parseSequencer } from '../../../namespace/sequencer.ts';

/** Small domains, so that ties, contradictions and dead incarnations meet often. */
export const T0 = 1_700_000_000_000;
const CONTAINERS = ['alpha', 'beta'];
const NAMES = ['a', 'a/b', 'é', '長い名前', '🜁', '\ue000', `${'長'.repeat(512)}x`, `${'長'.repeat(512)}y`];

export const container = fc.constantFrom(...CONTAINERS);
export const name = fc.constantFrom(...NAMES);
/** Some are within M of each other, some are not. */
export const time = fc.integer({ min: 0, max: 12 }).map((step) => T0 + step * 7_000);
const epoch = fc.option(
  fc.integer({ min: 0, max: 3 }).map((step) => epochAt(T0 + step * 25_000)),
  { nil: undefined },
);
const sequencer = fc.option(
  fc.integer({ min: 1, max: 9 }).map((step) => parseSequencer(step.toString(16))),
  {
    nil: undefined,
    freq: 30,
  },
);

export const attributes: fc.Arbitrary<Attributes> = fc.record(
  {
    etag: fc.integer({ min: 1, max: 6 }).map((version) => `0x${version}`),
    length: fc.integer({ min: 0, max: 2 }).map((size) => size * 1_000_000_000_000),
    blobType: fc.constantFrom('BlockBlob' as const, 'AppendBlob' as const),
    contentType: fc.constantFrom('text/plain', 'a "quoted" \\ type', ''),
    md5: fc.constant('1B2M2Y8AsgTpgAmY7PhCfg=='),
    lastModified: time,
    tier: fc.constantFrom('Hot', 'Cool'),
    metadata: fc.constantFrom<Record<string, string>>({}, { owner: 'é "x" \\', 'a-b': '' }),
  },
  { requiredKeys: ['etag', 'length'] },
);

/** Events whose clock and time go together, as nearly all do, and ones that say anything. */
export const event: fc.Arbitrary<BlobEvent> = fc
  .record({
    container,
    name,
    source: fc.constantFrom('trigger' as const, 'feed' as const),
    effect: fc.constantFrom('put' as const, 'put' as const, 'put' as const, 'delete' as const, 'touch' as const),
    attributes,
    withoutAttributes: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
    sequencer,
    epoch,
    time,
    tidy: fc.boolean(),
    // Often one request told by both, sometimes with one sequencer.
    request: fc.integer({ min: 1, max: 12 }),
  })
  .map(({ withoutAttributes, tidy, request, ...raw }) => {
    const { effect } = raw;
    // A delete may name the ETag that it removed.
    const told = withoutAttributes !== (effect === 'delete') ? undefined : raw.attributes;
    const order = raw.sequencer === undefined ? 1 : Number.parseInt(raw.sequencer, 16);
    return {
      ...raw,
      kind: 'event',
      eventId: `5d055648-1126-4053-bc6f-f86b8d${`${request}`.padStart(2, '0')}${raw.source === 'trigger' ? '06a1' : '0000'}`,
      api: 'PutBlob',
      attributes: tidy && told !== undefined ? { ...told, etag: `0xT${order}` } : told,
      time: tidy ? T0 + order * 9_000 : raw.time,
      epoch: tidy ? undefined : raw.epoch,
    } as const;
  });
