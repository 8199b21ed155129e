import type { Key } from '../../../namespace/key.ts';
import { formatKey } from '../../../namespace/key.ts';
import type { Cause, Difference, FindingState } from '../../../schema/drift/cause.ts';
import type { Random } from '../../simulation/random.ts';
import type { Told, ToldAccount } from '../support/told-account.ts';
import type { World } from '../support/world.ts';
import { blobName } from './names.ts';

/** What the judge must say of a name, by what was done to it. */
export interface Expected {
  readonly difference: Difference;
  readonly cause: Cause;
  readonly state: FindingState;
}

/** How far the feed is read when the judge begins: beyond what was lost, not as far, or not at all. */
export type FeedRead = 'ahead' | 'behind' | 'none';

/** A round under way: the account, what of it was told to nobody yet, and what was planted. */
export interface Played {
  readonly seed: number;
  readonly random: Random;
  readonly world: World;
  readonly account: ToldAccount;
  readonly judge: 'inventory' | 'listing';
  readonly feed: FeedRead;
  /** The index began with a listing, so that it knows what events do not carry. */
  readonly listedFirst: boolean;
  /** Columns of the report, besides those that every report has. */
  readonly columns: ReadonlySet<string>;
  readonly expected: Map<string, Expected>;
  /** Names that changed after the judge began, by `container/name`. */
  readonly raced: Set<string>;
  /** Told by Azure and heard by nobody so far. */
  readonly late: Told[];
  /** Names of which the index heard only after the judge had ended. */
  readonly toldLate: Set<string>;
  /** Names under Blob's authority that nothing was planted on. */
  readonly free: Key[];
  unique: number;
}

export function newKey(played: Played, container: string): Key {
  return { container, name: blobName(played.random, played.unique++) };
}

/** Takes a name that is there and that nothing was done to. */
export function takeFree(
  played: Played,
  fits: (attributes: { readonly blobType?: string | undefined }) => boolean,
): Key | undefined {
  const at = played.free.findIndex((key) => {
    const attributes = played.account.attributes(key);
    return attributes !== undefined && fits(attributes);
  });
  return at < 0 ? undefined : played.free.splice(at, 1)[0];
}

export function mustFind(played: Played, key: Key, expected: Expected): void {
  played.expected.set(formatKey(key), expected);
}

/** Thrown where the judge was wrong; everything else that is thrown is a fault of the round. */
export class RoundFailed extends Error {}
