import type { Timestamp } from '../../namespace/entry.ts';
import { readDeadLetterEvents } from '../../schema/events/dead-letter-events.ts';
import type { Tx } from '../../schema/index/database.ts';
import { type DeadLetterBlob, noteBlobRead } from '../../schema/index/dead-letter-blobs.ts';
import { keepDeadLetters, type NewDeadLetter } from '../../schema/index/dead-letters.ts';
import type { TriggerMessage } from '../../schema/ports/trigger-queue.ts';
import { applyBatch } from '../apply-batch.ts';
import { applyUnderRules } from '../apply-under-rules.ts';
import { readBatch } from '../azure/trigger-batch.ts';
import type { Services } from '../services.ts';
import type { TrustWatch } from '../trust-watch.ts';
import { wantReconcile } from '../want-reconcile.ts';
import { noteDeadLetters } from './note-dead-letters.ts';

/** A blob of the dead-letter container, as it was listed. */
export interface ListedBlob extends DeadLetterBlob {
  readonly length: number;
  readonly modifiedAt: Timestamp;
}

export interface ReadCounts {
  readonly events: number;
  readonly applied: number;
  readonly superseded: number;
  readonly ignored: number;
  /** What could not be applied. */
  readonly kept: number;
}

/** Events applied in one transaction. */
const PAGE = 500;
/** Held whole while it is read. Event Grid writes some events into a blob, each of at most 1 MB. */
export const LARGEST_BLOB = 32 * 1024 * 1024;
/** Kept of a blob that can never be read. Letters are listed by the hundred, with their bodies. */
const KEPT_BYTES = 1024 * 1024;

const NOTHING: ReadCounts = { events: 0, applied: 0, superseded: 0, ignored: 0, kept: 0 };

/**
 * Applies what one blob of Event Grid's dead-letter container tells, and keeps what of it cannot be applied. The last
 * transaction remembers the blob: after a crash before it, the blob is read again and what was applied changes nothing.
 *
 * @param bytes undefined where the blob is larger than `LARGEST_BLOB`.
 */
export async function readDeadLetterBlob(
  services: Services,
  trust: TrustWatch,
  blob: ListedBlob,
  bytes: Uint8Array | undefined,
): Promise<ReadCounts> {
  const events = bytes === undefined ? undefined : readDeadLetterEvents(bytes);
  if (events === undefined) return await keepWhole(services, blob, bytes);
  const messages = events.map(
    ({ event, triedAt, deliveryAttempts }, at): TriggerMessage => ({
      // Of this version of the blob: another one under the same name tells something else.
      id: `${blob.name}@${blob.etag}#${at}`,
      body: event,
      enqueuedAt: triedAt ?? blob.modifiedAt,
      deliveryCount: deliveryAttempts,
    }),
  );
  let counts = NOTHING;
  for (let at = 0; at === 0 || at < messages.length; at += PAGE) {
    const isLast = at + PAGE >= messages.length;
    counts = added(counts, await applyPage(services, trust, blob, messages.slice(at, at + PAGE), isLast, counts.kept));
  }
  return counts;
}

async function applyPage(
  services: Services,
  trust: TrustWatch,
  blob: ListedBlob,
  messages: readonly TriggerMessage[],
  isLast: boolean,
  keptBefore: number,
): Promise<ReadCounts> {
  const { account, log, metrics } = services;
  const batch = readBatch(messages, account);
  const letters = batch.deadLetters.map(({ message, reason, description }) =>
    letterOf(message.id, message.body, reason, description, message.enqueuedAt),
  );
  // Before the blob is remembered as read: a wish that Temporal does not take is wished again with the blob.
  for (const { run } of batch.completed) await wantReconcile(services, run);
  const { page, isNew } = await applyUnderRules(services, async (tx, scope) => {
    const page = await applyBatch(tx, scope, batch);
    const isNew = await keep(tx, account.id, letters);
    if (isLast) await noteBlobRead(tx, account.id, blob, keptBefore + letters.length);
    return { page, isNew };
  });
  const { applied, superseded } = page;
  const refused = batch.deadLetters.reduce((sum, { events }) => sum + events, 0);
  metrics.page('trigger', { ...page.ignored, applied, superseded, 'dead-lettered': refused }, page.looks);
  if (isNew) for (const { reason } of letters) metrics.deadLetter('event-grid', reason);
  for (const { messageId, reason, description } of letters) {
    log.warn({ messageId, reason, description }, 'a dead letter of Event Grid cannot be applied, and is kept');
  }
  await trust.seen(page);
  const ignored = Object.values(page.ignored).reduce((sum, each) => sum + each, 0);
  return { events: messages.length, applied, superseded, ignored, kept: letters.length };
}

/** Nothing of it can be read. It stays in its container; what is kept here tells of it. */
async function keepWhole(services: Services, blob: ListedBlob, bytes: Uint8Array | undefined): Promise<ReadCounts> {
  const { account, log, metrics } = services;
  const [reason, description] =
    bytes === undefined
      ? ['too-large', `the blob ${blob.name} has ${blob.length} bytes, and ${LARGEST_BLOB} are read at most`]
      : [
          'not-json',
          `the blob ${blob.name} is no JSON: it was cut off, or is no dead letter of Event Grid${partOf(bytes)}`,
        ];
  const body = bytes?.subarray(0, KEPT_BYTES) ?? { blob: blob.name, length: blob.length };
  const letter = letterOf(`${blob.name}@${blob.etag}`, body, reason, description, blob.modifiedAt);
  const isNew = await applyUnderRules(services, async (tx) => {
    const isNew = await keep(tx, account.id, [letter]);
    await noteBlobRead(tx, account.id, blob, 1);
    return isNew;
  });
  if (isNew) metrics.deadLetter('event-grid', reason);
  log.warn({ blob: blob.name, reason }, 'a blob of dead letters cannot be read, and is kept');
  return { ...NOTHING, kept: 1 };
}

/**
 * Keeps letters, and notes them where they are new. Those of one transaction are new all of them or none, as a blob that
 * is read again is cut into the same pages.
 */
async function keep(tx: Tx, accountId: number, letters: readonly NewDeadLetter[]): Promise<boolean> {
  const isNew = (await keepDeadLetters(tx, accountId, letters)) > 0;
  if (isNew) await noteDeadLetters(tx, accountId, 'event-grid', letters);
  return isNew;
}

function partOf({ length }: Uint8Array): string {
  return length <= KEPT_BYTES ? '' : `; the first ${KEPT_BYTES} of ${length} bytes are kept here`;
}

function letterOf(
  messageId: string,
  body: unknown,
  reason: string,
  description: string,
  enqueuedAt: Timestamp,
): NewDeadLetter {
  return { origin: 'event-grid', messageId, body, reason, description, enqueuedAt };
}

function added(a: ReadCounts, b: ReadCounts): ReadCounts {
  return {
    events: a.events + b.events,
    applied: a.applied + b.applied,
    superseded: a.superseded + b.superseded,
    ignored: a.ignored + b.ignored,
    kept: a.kept + b.kept,
  };
}
