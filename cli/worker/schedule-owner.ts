import { type Client, type ScheduleDescription, ScheduleNotFoundError } from '@temporalio/client';
import { IsthmusError } from '../../schema/errors.ts';
import type { Federation } from '../../schema/federation/federation.ts';
import { readAccount } from '../../schema/index/accounts.ts';
import { firstPublished } from '../../schema/index/authority-revisions.ts';
import type { Index } from '../../schema/index/database.ts';
import type { ScheduledReconcileInput } from '../../schema/inputs/control.ts';
import { workflowIds } from '../../schema/inputs/names.ts';
import { codeOf, NO_TABLES } from '../failure.ts';
import { formatTime } from '../format.ts';

/**
 * Whose the workflows of an account are. Their ids name the account alone, so that never two reconcile it at once: of two
 * federations of one account in one namespace, the second would take the turns of the first, into its own index.
 */
export interface Owner {
  readonly federation: string;
  /** When the index first had rules of the account, which tells one index from another; undefined where it is not known. */
  readonly index: string | undefined;
}

/** The index of an owner that has no rules of the account yet. */
export const NO_INDEX = 'none';

export interface OtherOwner {
  readonly says: string;
  readonly mend: string;
}

/** What tells an index from others, as `Owner` has it; also of one that nobody has prepared. Only reads. */
export async function readIndexOf({ db }: Index, accountName: string): Promise<string> {
  try {
    const account = await readAccount(db, accountName);
    const born = account && (await firstPublished(db, account.id));
    return born === undefined ? NO_INDEX : formatTime(born);
  } catch (error) {
    if (codeOf(error) === NO_TABLES) return NO_INDEX;
    throw error;
  }
}

/** @returns undefined where no worker has made the account's schedule yet. */
export async function readOwner(client: Client, account: string): Promise<Owner | undefined> {
  try {
    return ownerOf(await client.schedule.getHandle(workflowIds.reconcile(account)).describe());
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}

/** As the schedule of the account's reconcile has it. An older worker wrote no index. */
function ownerOf({ action }: ScheduleDescription): Owner | undefined {
  const input = action.args?.[0] as Partial<ScheduledReconcileInput> | undefined;
  return input?.federation === undefined ? undefined : { federation: input.federation, index: input.index };
}

/** What is wrong where the workflows of the account are another's, and what mends it. */
export function otherOwner(
  mine: Owner,
  theirs: Owner | undefined,
  { account, namespace }: { readonly account: string; readonly namespace: string },
): OtherOwner | undefined {
  if (theirs === undefined) return undefined;
  const apart = 'Give this one a Temporal namespace of its own: TEMPORAL_NAMESPACE';
  const anew = `temporal schedule delete -n ${namespace} --schedule-id ${workflowIds.reconcile(account)}`;
  if (theirs.federation !== mine.federation) {
    const end = `temporal workflow terminate -n ${namespace} --query 'IsthmusFederation="${theirs.federation}"' --reason renamed`;
    return {
      says: `the workflows of ${account} in namespace ${namespace} are those of federation ${theirs.federation}, and this is ${mine.federation}`,
      mend: `${apart}. Or, where this one takes the other's place, stop the other's workers, and: ${end} && ${anew}`,
    };
  }
  if (theirs.index === undefined || mine.index === undefined || theirs.index === mine.index) return undefined;
  const own = mine.index === NO_INDEX ? 'has none yet' : `since ${mine.index}`;
  return {
    says: `the workflows of ${account} in namespace ${namespace} work with an index that has rules since ${theirs.index}, and this index ${own}`,
    mend: `Name that index in DATABASE_URL. ${apart}. Or, where this index takes the other's place, stop the other's workers, and: isthmus rebuild --take-over`,
  };
}

/**
 * @param readIndex what `readIndexOf` reads, which is asked after the owner: an owner's index has rules before the account
 * has workflows, so that a worker that starts beside the first one does not take the index of both for another.
 * @throws IsthmusError `ISTHMUS_CONFIG` where the workflows of the account are another federation's, or of another index.
 */
export async function refuseOtherOwner(
  client: Client,
  { name, account }: Pick<Federation, 'name' | 'account'>,
  readIndex: () => Promise<string>,
): Promise<void> {
  const place = { account: account.name, namespace: client.options.namespace };
  const theirs = await readOwner(client, account.name);
  const other = otherOwner({ federation: name, index: await readIndex() }, theirs, place);
  if (other !== undefined) throw new IsthmusError('ISTHMUS_CONFIG', `${other.says}. ${other.mend}`);
}
