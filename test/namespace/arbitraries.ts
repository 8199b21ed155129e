import fc from 'fast-check';
import type { BlobEvent } from '../../namespace/change.ts';
import type { ContainerState } from '../../namespace/container.ts';
import type { ClockPolicy } from '../../namespace/decision.ts';
import type { Attributes, Entry } from '../../namespace/entry.ts';
import { type Epoch, epochAt } from '../../namespace/epoch.ts';
import type { Key } from '../../namespace/key.ts';
import type { Rule } from '../../namespace/rule.ts';
import { parseSequencer, type Sequencer } from '../../namespace/sequencer.ts';

export const MARGIN = 20_000;
export const NOW = Date.UTC(2026, 0, 1);
export const KEY: Key = { container: 'lake', name: 'a/b' };
export const BLOB_RULE: Rule = { prefix: '', authority: 'blob', sink: 'vast' };
export const VAST_RULE: Rule = { prefix: '', authority: 'vast', sink: 'vast' };
export const LIVING: ContainerState = { newestEpoch: undefined, goneAt: undefined };
export const POLICY: ClockPolicy = { margin: MARGIN, horizon: undefined, looks: true };

export function sequencer(number: number): Sequencer {
  const parsed = parseSequencer(number.toString(16));
  if (parsed === undefined) throw new Error(`${number} is no sequencer`);
  return parsed;
}

/** Times that meet each other, each other's margins, and nothing of the kind. */
export const time = fc.oneof(
  fc.integer({ min: 0, max: 12 }).map((steps) => NOW + steps * 5_000),
  fc.integer({ min: 0, max: 10 * MARGIN }).map((ms) => NOW + ms),
);

export const epoch: fc.Arbitrary<Epoch> = fc.integer({ min: 0, max: 3 }).map((made) => epochAt(NOW + made * 60_000));

export const attributes: fc.Arbitrary<Attributes> = fc.record(
  {
    etag: fc.constantFrom('0xA', '0xB', '0xC', '0xD'),
    length: fc.constantFrom(0, 1, 2),
    tier: fc.constantFrom('Hot', 'Cool'),
    contentType: fc.constantFrom('text/plain', 'image/png'),
    metadata: fc.constantFrom({ a: '1' }, { a: '2' }, {}),
  },
  { requiredKeys: ['etag', 'length'] },
);

export const event: fc.Arbitrary<BlobEvent> = fc
  .record({
    source: fc.constantFrom<BlobEvent['source'][]>('trigger', 'feed', 'replay'),
    effect: fc.constantFrom<BlobEvent['effect'][]>('put', 'put', 'put', 'delete', 'delete', 'touch'),
    attributes,
    sequencer: fc.option(
      fc.integer({ min: 1, max: 12 }).map((number) => sequencer(number)),
      { nil: undefined, freq: 12 },
    ),
    epoch: fc.option(epoch, { nil: undefined }),
    time,
    eventId: fc.uuid(),
  })
  .map((fields) => ({
    kind: 'event',
    ...KEY,
    ...fields,
    attributes: fields.effect === 'delete' ? undefined : fields.attributes,
    api: fields.effect,
  }));

export const entry: fc.Arbitrary<Entry> = fc
  .record({
    live: fc.boolean(),
    attributes,
    sequencer: fc.option(
      fc.integer({ min: 1, max: 12 }).map((number) => sequencer(number)),
      { nil: undefined, freq: 6 },
    ),
    epoch: fc.option(epoch, { nil: undefined }),
    seen: time,
    fromLook: fc.boolean(),
    lookDue: fc.boolean(),
    revision: fc.integer({ min: 1, max: 9 }),
  })
  .map(({ fromLook, ...fields }) => ({
    ...KEY,
    ...fields,
    attributes: fields.live ? fields.attributes : undefined,
    look: fromLook ? fields.seen : undefined,
    provenance: { source: 'feed', eventId: 'before', time: fields.seen, ruleRevision: 1 },
  }));

export const container: fc.Arbitrary<ContainerState> = fc.record({
  newestEpoch: fc.option(epoch, { nil: undefined }),
  goneAt: fc.option(time, { nil: undefined }),
});

export const policy: fc.Arbitrary<ClockPolicy> = fc.record({
  margin: fc.constant(MARGIN),
  horizon: fc.option(time, { nil: undefined }),
  looks: fc.boolean(),
});

/** Pieces of names of which each has been a blob somewhere: what file systems, Unicode and escapes trip over. */
const component = fc.oneof(
  fc.constantFrom('', '.', '..', '...', 'a', 'A', 'b', 'a.', ' ', 'CON', '-', '~', '%2F', '%2e%2e', 'a\\b', '?', '#'),
  fc.constantFrom('\u00e9', 'e\u0301', '\u212b', '\u00c5', '\u{1f600}', '\u{10ffff}', '\uffff', '\ue000', '\u65e5'),
  fc.constantFrom('\n', '\t', '\u0001', '\u007f', '\0', '\ud800', '\udfff', 'x'.repeat(255), '\u00e9'.repeat(128)),
  fc.string({ unit: 'binary', maxLength: 6 }),
);

export const blobName: fc.Arbitrary<string> = fc.oneof(
  { weight: 9, arbitrary: fc.array(component, { maxLength: 6 }).map((components) => components.join('/')) },
  { weight: 1, arbitrary: fc.integer({ min: 1000, max: 1024 }).map((length) => '\u65e5'.repeat(length)) },
);

export const containerName = fc.constantFrom(
  'lake',
  'lake-2',
  '$root',
  '$web',
  '000',
  '..',
  '.',
  '',
  'a/b',
  '.isthmus-tmp',
);

export const key: fc.Arbitrary<Key> = fc.record({ container: containerName, name: blobName });
