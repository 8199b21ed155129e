import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { triggerActivities } from '../../../activities/receive-triggers.ts';
import { compileRules } from '../../../namespace/authority.ts';
import { blobSubject } from '../../../schema/events/blob-subject.ts';
import { publishRules } from '../../../schema/index/authority-revisions.ts';
import { recentJournal } from '../../../schema/index/journal.ts';
import { countEntries } from '../../../schema/index/queries.ts';
import type { TriggerMessage } from '../../../schema/ports/trigger-queue.ts';
import { testIndex } from '../../support/postgres.ts';
import { FakeQueue } from '../fake-queue.ts';
import { runActivity, testServices } from '../test-services.ts';
import { blobEvent } from './blob-event.ts';

/** Nothing that Postgres compresses: as hex it is as large as a message of Service Bus may be. */
const LONG = randomBytes(125 * 1024).toString('hex');
const MICROSOFT = 'Microsoft.Storage.';

type Told = Readonly<Record<string, unknown>> & { readonly data: object };

function told(more: object, data: object): Told {
  const event = blobEvent(1, { data });
  return { ...event, subject: blobSubject({ container: 'lake', name: 'blob' }), ...more };
}

const inData = (...names: readonly string[]) =>
  names.map((name): readonly [string, Told] => [`data.${name}`, told({}, { [name]: LONG })]);
const directory = (eventType: string, name: string, data: object, more: object = {}) =>
  told({ eventType: `${MICROSOFT}${eventType}`, subject: blobSubject({ container: 'lake', name }), ...more }, data);
const sourceUrl = (path: string) => ({
  api: 'RenameDirectory',
  sourceUrl: `https://lake.blob.core.windows.net/${path}`,
});

/** A message of 250 KB for every place in which it may be long. */
const MESSAGES: readonly (readonly [string, unknown])[] = [
  ['id', told({ id: LONG }, {})],
  ['the name', told({ subject: blobSubject({ container: 'lake', name: LONG }) }, {})],
  ['the container', told({ subject: blobSubject({ container: LONG, name: 'blob' }) }, {})],
  ['subject', told({ subject: LONG }, {})],
  ['eventType', told({ eventType: LONG }, {})],
  ['eventType of Storage', told({ eventType: `${MICROSOFT}${LONG}` }, {})],
  ['eventType of what is no blob', told({ eventType: `${MICROSOFT}${LONG}`, subject: 'policy' }, {})],
  ['eventTime', told({ eventTime: LONG }, {})],
  ['topic', told({ topic: LONG }, {})],
  [
    'account',
    told({ topic: `/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/${LONG}` }, {}),
  ],
  ...inData('api', 'eTag', 'contentLength', 'contentType', 'blobType', 'sequencer', 'url', 'requestId', 'accessTier'),
  ['id, which VAST refuses', told({ id: LONG, subject: blobSubject({ container: 'vast', name: 'blob' }) }, {})],
  ['a directory', directory('DirectoryDeleted', LONG, { api: 'DeleteDirectory', recursive: 'true' })],
  ['id of a directory', directory('DirectoryDeleted', 'd', { api: 'DeleteDirectory' }, { id: LONG })],
  ['recursive of a directory', directory('DirectoryDeleted', 'd', { api: 'DeleteDirectory', recursive: LONG })],
  ['the old name of a directory', directory('DirectoryRenamed', 'new', sourceUrl(`lake/${LONG}`))],
  ['the old container of a directory', directory('DirectoryRenamed', 'new', sourceUrl(`${LONG}/old`))],
  ['the new name of a directory', directory('DirectoryRenamed', LONG, sourceUrl('lake/old'))],
  ['the old name of a blob', directory('BlobRenamed', 'new', sourceUrl(`lake/${LONG}`))],
  ['text that is no JSON', LONG],
  ['text', JSON.stringify(LONG)],
  ['an array', `[${'{},'.repeat(80_000)}{}]`],
];

describe('messages of 250 KB', () => {
  it.each(MESSAGES)('8: hold back no neighbour, whatever is long in them: %s', async (_where, message) => {
    await using db = await testIndex();
    const descriptions: string[] = [];
    class Queue extends FakeQueue {
      override async deadLetter(letter: TriggerMessage, reason: string, description = ''): Promise<void> {
        descriptions.push(description);
        await super.deadLetter(letter, reason);
      }
    }
    const queue = new Queue();
    const rules = [
      { prefix: '', authority: 'blob', sink: 'vast' },
      { prefix: 'vast/', authority: 'vast', sink: 'vast' },
    ] as const;
    const given = await testServices(db.index, { queue, clock: queue.clock });
    const { revision } = await publishRules(db.index, given.account.id, rules, 'a test');
    const compiled = { index: compileRules({ revision, rules }), revision };
    const services = { ...given, rules: async () => compiled };
    queue.send(message, blobEvent(2));
    const turn = await runActivity(() => triggerActivities(services).receiveTriggers({ seconds: 1 }));
    expect(turn.messages).toBe(2);
    expect(queue.done.map((each) => each.split(' ').slice(0, 2).join(' '))).toEqual(
      expect.arrayContaining([expect.stringMatching(/ m1$/), 'complete m2']),
    );
    expect((await countEntries(db.index.db, services.account.id)).live).toBeGreaterThan(0);
    // What a dead-lettered message may carry of it.
    for (const description of descriptions) expect(description.length).toBeLessThan(4_096);
    const notes = await recentJournal(db.index.db, services.account.id, { limit: 10 });
    for (const { detail } of notes) expect(JSON.stringify(detail ?? null).length).toBeLessThan(10_000);
  });
});
