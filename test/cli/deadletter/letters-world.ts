import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Call } from '../../../cli/call.ts';
import type { QueueOptions } from '../../../infra/local/service-bus/message-queue.ts';
import { blobSubject } from '../../../schema/events/blob-subject.ts';
import { ensureAccount } from '../../../schema/index/accounts.ts';
import { publishRules } from '../../../schema/index/authority-revisions.ts';
import { keepDeadLetters, type NewDeadLetter } from '../../../schema/index/dead-letters.ts';
import { listEntries } from '../../../schema/index/queries.ts';
import { transact } from '../../../schema/index/transact.ts';
import { testBroker } from '../../infra/service-bus/broker.ts';
import { testIndex } from '../../support/postgres.ts';
import { type RecordingTerminal, recordingTerminal } from '../recording-terminal.ts';

const TIME = '2026-11-21T13:00:00Z';

export function event(number: number, account = 'contoso', more: object = {}) {
  return {
    id: `id-${number}`,
    topic: `/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/${account}`,
    subject: blobSubject({ container: 'lake', name: `blob-${number}` }),
    eventType: 'Microsoft.Storage.BlobCreated',
    eventTime: TIME,
    data: {
      ...{ api: 'PutBlob', eTag: `0x${number}`, contentLength: 7, blobType: 'BlockBlob' },
      sequencer: number.toString(16).padStart(48, '0'),
    },
    ...more,
  };
}

export function letter(messageId: string, body: unknown, reason = 'unknown-account'): NewDeadLetter {
  const description = `it was \u001b[31m${reason}`;
  return { origin: 'event-hubs', messageId, body, reason, description, enqueuedAt: Date.parse(TIME) };
}

/** An account `contoso` with a queue `q`, as commands find them. */
export async function world(queue: Partial<QueueOptions> = {}) {
  await using made = new AsyncDisposableStack();
  const db = made.use(await testIndex());
  const broker = made.use(await testBroker(queue));
  const folder = await mkdtemp(path.join(tmpdir(), 'isthmus-dead-'));
  made.defer(() => rm(folder, { recursive: true }));
  const config = path.join(folder, 'federation.yaml');
  await writeFile(
    config,
    `name: lake
account: { name: contoso }
sources: { serviceBus: { connectionString: '${broker.bus.connectionString}', queue: q } }
sinks: { gpu: { kind: fileView, root: . } }
rules: [{ prefix: '', authority: blob, sink: gpu }]
`,
  );
  const { id } = await ensureAccount(db.index, 'contoso');
  await publishRules(db.index, id, [{ prefix: '', authority: 'blob', sink: 'gpu' }], 'a test');
  const stack = made.move();
  const calling = (terminal: RecordingTerminal, json: boolean, signal: AbortSignal): Call => ({
    ...{ env: { DATABASE_URL: db.url }, terminal, signal, json, config },
  });
  const call = async (command: (call: Call) => Promise<number>, json = false) => {
    const terminal = recordingTerminal();
    const code = await command(calling(terminal, json, new AbortController().signal));
    return { code, printed: terminal.printed, said: terminal.said };
  };
  return {
    index: db.index,
    id,
    broker,
    call,
    calling,
    keep: (...letters: NewDeadLetter[]) => transact(db.index, (tx) => keepDeadLetters(tx, id, letters)),
    /** Sends messages and gives each back as often as the queue lets one. */
    bury: async (...bodies: unknown[]) => {
      for (const [at, body] of bodies.entries()) await broker.bus.publish('q', { messageId: `m${at}`, body });
      const receiver = broker.client.createReceiver('q');
      while (broker.bus.queueState('q').active > 0) {
        for (const each of await receiver.receiveMessages(10, { maxWaitTimeInMs: 1_000 })) {
          await receiver.abandonMessage(each);
        }
      }
      await receiver.close();
    },
    names: async () => (await listEntries(db.index.db, id, { prefix: '', limit: 100 })).map(({ name }) => name),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

export const all = { ids: [], all: true };
export const only = (...ids: string[]) => ({ ids, all: false });
export const lines = (printed: readonly string[]) => printed.map((line) => JSON.parse(line) as Record<string, unknown>);
