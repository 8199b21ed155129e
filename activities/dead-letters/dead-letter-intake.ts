import { Context } from '@temporalio/activity';
import type { Timestamp } from '../../namespace/entry.ts';
import { hasCode } from '../../schema/errors.ts';
import { forgetGoneBlobs, stillThere, unreadBlobs } from '../../schema/index/dead-letter-blobs.ts';
import type { Activities, DeadLetterTurn } from '../../schema/inputs/activities.ts';
import { heartbeats } from '../heartbeat.ts';
import { quietly } from '../quietly.ts';
import type { Services } from '../services.ts';
import { TrustWatch } from '../trust-watch.ts';
import { DeadLetterFolders, SweptFolders } from './dead-letter-folders.ts';
import { LARGEST_BLOB, type ListedBlob, readDeadLetterBlob } from './read-dead-letter-blob.ts';

/** Blobs read in one turn. */
const BLOBS = 200;
const FORGOTTEN_AT_ONCE = 1_000;
/** Where the federation names no container any more, and the loop still runs. */
const NO_CONTAINER_SECONDS = 60;

type Counts = { -readonly [Name in 'blobs' | 'events' | 'applied' | 'superseded' | 'ignored' | 'kept']: number };

/**
 * Reads what Event Grid gave up on, in name order, each version of a blob once. Nothing is written to the container:
 * its reader needs no other right than to read, and whoever looks into it finds what Event Grid wrote.
 */
export function deadLetterActivities(services: Services): Pick<Activities, 'readDeadLetters'> {
  const { account, blobs, clock, federation, index } = services;
  const trust = new TrustWatch(services);
  const folders = new DeadLetterFolders();

  /** @returns whether there is more to read. */
  async function work(container: string, counts: Counts, until: Timestamp, signal: AbortSignal): Promise<boolean> {
    const began = clock.now();
    const { prefixes, sweep } = folders.next(began);
    const found = new SweptFolders();
    for (const prefix of prefixes) {
      for await (const page of blobs.listBlobs(container, prefix, signal)) {
        const listed = page.blobs.map(({ name, attributes }): ListedBlob => {
          const { etag, length, lastModified } = attributes;
          return { name, etag, length, modifiedAt: lastModified ?? page.time };
        });
        for (const blob of await unreadBlobs(index.db, account.id, listed)) {
          // One is read in every turn, however long the listing took to come to it.
          if (counts.blobs >= BLOBS || (counts.blobs > 0 && clock.now() >= until)) return true;
          signal.throwIfAborted();
          await read(container, blob, counts, signal);
        }
        if (!sweep) continue;
        found.page(listed.map(({ name }) => name));
        await stillThere(index.db, account.id, listed);
      }
    }
    if (sweep) {
      // What it has was found to be there just now: the others are gone.
      while (!(await forgetGoneBlobs(index.db, account.id, FORGOTTEN_AT_ONCE))) signal.throwIfAborted();
      folders.swept(began, found);
    }
    return false;
  }

  async function read(container: string, blob: ListedBlob, counts: Counts, signal: AbortSignal): Promise<void> {
    let bytes: Uint8Array | undefined;
    try {
      bytes = blob.length > LARGEST_BLOB ? undefined : await bytesOf(container, blob, signal);
    } catch (error) {
      // It was written anew, or removed, since it was listed: the next listing has what is so now.
      if (hasCode(error, 'ISTHMUS_SOURCE_CHANGED')) return;
      throw error;
    }
    const { events, applied, superseded, ignored, kept } = await readDeadLetterBlob(services, trust, blob, bytes);
    counts.blobs += 1;
    counts.events += events;
    counts.applied += applied;
    counts.superseded += superseded;
    counts.ignored += ignored;
    counts.kept += kept;
  }

  async function bytesOf(container: string, { name, etag, length }: ListedBlob, signal: AbortSignal) {
    const parts: Uint8Array[] = [];
    const range = { etag, offset: 0, length };
    for await (const part of await blobs.readRange({ container, name }, range, signal)) parts.push(part);
    return Buffer.concat(parts);
  }

  return {
    async readDeadLetters({ seconds }): Promise<DeadLetterTurn> {
      const signal = Context.current().cancellationSignal;
      const source = federation.sources.deadLetters;
      const counts: Counts = { blobs: 0, events: 0, applied: 0, superseded: 0, ignored: 0, kept: 0 };
      if (source === undefined) return { ...counts, more: false, restSeconds: NO_CONTAINER_SECONDS };
      using _heartbeats = heartbeats(() => counts);
      const until = clock.now() + seconds * 1000;
      let more = false;
      await quietly(signal, async () => {
        more = await work(source.container, counts, until, signal);
        await trust.flush();
      });
      return { ...counts, more, restSeconds: source.pollSeconds };
    },
  };
}
