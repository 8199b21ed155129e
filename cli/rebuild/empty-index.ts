import type { Client } from '@temporalio/client';
import { counted } from '../../schema/counted.ts';
import type { Federation } from '../../schema/federation/federation.ts';
import { raiseHorizon, waitForPages } from '../../schema/index/accounts.ts';
import type { Index } from '../../schema/index/database.ts';
import { countForgotten, discardAccount } from '../../schema/index/discard-account.ts';
import { setCursor } from '../../schema/index/feed-cursors.ts';
import { recordJournal } from '../../schema/index/journal.ts';
import { transact } from '../../schema/index/transact.ts';
import { prepareIndex } from '../worker/prepare-index.ts';
import { otherOwner, readIndexOf, readOwner } from '../worker/schedule-owner.ts';
import type { Start } from './pin-feed.ts';

/** What stands in the way of a rebuild, and what the operator may say to have it go. */
export interface Refusal {
  readonly says: string;
  readonly mend: string;
}

/**
 * Whether another index has the workflows of the account. Only reads.
 *
 * @returns `other` with what to say where it does.
 */
export async function ownerOfWorkflows(
  client: Client,
  federation: Federation,
  index: Index,
): Promise<{ readonly other?: Refusal | undefined; readonly sameFederation: boolean }> {
  const { name, account } = federation;
  const theirs = await readOwner(client, account.name);
  const mine = { federation: name, index: await readIndexOf(index, account.name) };
  const other = otherOwner(mine, theirs, { account: account.name, namespace: client.options.namespace });
  return { other, sameFederation: theirs === undefined || theirs.federation === name };
}

/** Beyond the usual, as a large index takes long to be forgotten. */
const STATEMENT_MS = 3_600_000;

export interface EmptyIndex {
  readonly accountId: number;
  /** Entries that were forgotten. */
  readonly discarded: number;
}

/**
 * Makes the index one that is to be filled: prepared, without entries, its feed read from the start on, and with a
 * horizon, as all tombstones are gone: no older create is believed without a look. Either all of it or nothing.
 *
 * @returns a refusal where the index has entries and they are not to be discarded; then nothing but the schema and the
 * rules has changed.
 */
export async function emptyIndex(
  index: Index,
  federation: Federation,
  { discard, start }: { readonly discard: boolean; readonly start: Start },
): Promise<EmptyIndex | Refusal> {
  const { account } = await prepareIndex(index, federation, 'the federation file, at a rebuild');
  const { now, segment } = start;
  return await transact(
    index,
    async (tx) => {
      await waitForPages(tx, account.id);
      const { entries, more } = await countForgotten(tx, account.id);
      if (entries > 0 && !discard) {
        return {
          says: `The index has ${counted(entries, 'name')}${more ? ' and more' : ''} of ${account.name}`,
          mend: '`isthmus rebuild --discard` forgets them, and what was found of them, and begins anew; to judge and mend them instead: `isthmus reconcile`',
        };
      }
      if (discard) await discardAccount(tx, account.id);
      await raiseHorizon(tx, account.id, now);
      if (segment !== undefined) await setCursor(tx, account.id, { segment, shards: {} });
      await recordJournal(tx, account.id, [{ kind: 'index-rebuilt', detail: { discarded: entries, more, segment } }]);
      return { accountId: account.id, discarded: entries };
    },
    { statementMs: STATEMENT_MS },
  );
}
