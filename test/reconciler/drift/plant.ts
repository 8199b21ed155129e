import { formatKey } from '../../../namespace/key.ts';
import type { Cause } from '../../../schema/drift/cause.ts';
import type { ReportRow } from '../support/report.ts';
import { hear, type Told } from '../support/told-account.ts';
import { mustFind, newKey, type Played, takeFree } from './played.ts';

/** Plants one difference, and writes down what a judge must say of it; undefined where this round has no name for it. */
export type Plant = (played: Played) => Promise<boolean>;

/** No trigger told it; the feed may have been read beyond it. */
function lost(played: Played): Cause {
  return played.feed === 'ahead' ? 'missed-by-both' : 'missed-by-triggers';
}

/** When a blob went is known to nobody: only a feed that was read beyond the judge's beginning must have told it, which a listing begins too late for. */
function lostDeleteOf(played: Played): Cause {
  return played.judge === 'inventory' ? lost(played) : 'missed-by-triggers';
}

function containerOf(played: Played): string {
  return played.free[0]?.container ?? 'alpha';
}

/** A change is lost by everybody: nobody hears of it, whatever was told. */
const lostCreate: Plant = async (played) => {
  const key = newKey(played, containerOf(played));
  played.account.put(key);
  mustFind(played, key, { difference: 'not-indexed', cause: lost(played), state: 'repaired' });
  return true;
};

const lostOverwrite: Plant = async (played) => {
  const key = takeFree(played, ({ blobType }) => blobType === 'BlockBlob');
  if (key === undefined) return false;
  played.account.put(key);
  mustFind(played, key, { difference: 'other-version', cause: lost(played), state: 'repaired' });
  return true;
};

const lostDelete: Plant = async (played) => {
  const key = takeFree(played, () => true);
  if (key === undefined) return false;
  played.account.delete(key);
  mustFind(played, key, { difference: 'not-listed', cause: lostDeleteOf(played), state: 'repaired' });
  return true;
};

/** One source loses it, another tells it: no drift. */
const lostByOne: Plant = async (played) => {
  const key = takeFree(played, ({ blobType }) => blobType === 'BlockBlob');
  if (key === undefined) return false;
  const told = played.random.chance(0.3) ? played.account.delete(key) : played.account.put(key);
  await hear(played.world, played.feed === 'ahead' && played.random.chance(0.5) ? 'feed' : 'trigger', [told]);
  return true;
};

const grown: Plant = async (played) => {
  const key = takeFree(played, ({ blobType }) => blobType === 'AppendBlob' || blobType === 'PageBlob');
  if (key === undefined) return false;
  played.account.grow(key);
  mustFind(played, key, { difference: 'other-version', cause: 'blob-grew', state: 'repaired' });
  return true;
};

/** Lifecycle management tells nobody. What tier a blob was in must be known, and what it is in now told. */
const tierMoved: Plant = async (played) => {
  if (!played.listedFirst || !played.columns.has('AccessTier')) return false;
  const key = takeFree(played, ({ blobType }) => blobType === 'BlockBlob');
  if (key === undefined) return false;
  played.account.setTier(key, 'Cool');
  mustFind(played, key, { difference: 'other-attributes', cause: 'tier-moved', state: 'repaired' });
  return true;
};

/** The event of a blob names no metadata. */
const metadataUntold: Plant = async (played) => {
  if (!played.columns.has('Metadata')) return false;
  const key = newKey(played, containerOf(played));
  const told = played.account.put(key, { metadata: { owner: 'ada', 'a,b': 'c"d' } });
  await hear(played.world, 'trigger', [told]);
  mustFind(played, key, { difference: 'other-attributes', cause: 'metadata-unknown', state: 'repaired' });
  return true;
};

const unstorable: Plant = async (played) => {
  const key = { container: containerOf(played), name: `nul\0${played.unique++}` };
  const told = played.account.put(key);
  await hear(played.world, 'trigger', [told]);
  mustFind(played, key, { difference: 'not-indexed', cause: 'unstorable-name', state: 'open' });
  return true;
};

/** All that a round may plant before its judge begins, each as often as the others. */
export const PLANTS: readonly [Plant, ...Plant[]] = [
  lostCreate,
  lostOverwrite,
  lostDelete,
  lostByOne,
  grown,
  tierMoved,
  metadataUntold,
  unstorable,
];

/**
 * A container is deleted, and perhaps made again with some of its names. No source tells of it; that it is another can
 * be known where the feed brings an event of the new one.
 */
export async function plantContainer(played: Played, container: string, recreated: boolean): Promise<void> {
  const { account, random, world } = played;
  const keys = [...(world.blobs.containers.get(container) ?? [])].map(([name, { attributes }]) => {
    return { key: { container, name }, again: attributes.blobType === 'BlockBlob' && random.chance(0.4) };
  });
  const kept = played.free.filter((key) => key.container !== container);
  played.free.splice(0, played.free.length, ...kept);
  account.deleteContainer(container);
  if (!recreated) {
    for (const { key } of keys) {
      mustFind(played, key, { difference: 'not-listed', cause: 'container-deleted', state: 'repaired' });
    }
    return;
  }
  world.blobs.later(40_000);
  account.createContainer(container);
  world.blobs.later(1_000);
  const first = account.put(newKey(played, container));
  const known = played.feed === 'ahead';
  await hear(world, known ? 'feed' : 'trigger', [first]);
  for (const { key, again } of keys) {
    if (again) account.put(key);
    const cause = known ? 'container-recreated' : again ? lost(played) : lostDeleteOf(played);
    // An entry of a container that is known to be gone is no longer live: nobody misses it.
    if (again || !known) {
      mustFind(played, key, { difference: again ? 'other-version' : 'not-listed', cause, state: 'repaired' });
    }
  }
}

/** What a report says that is not so: an own row is left out, tells another version, or names what never was. */
export function plantLies(played: Played, rows: readonly ReportRow[]): readonly ReportRow[] {
  const { random } = played;
  const lied = new Map<string, 'left out' | 'wrong'>();
  const state = 'explained';
  for (let lies = random.between(0, 2); lies > 0; lies--) {
    const key = takeFree(played, () => true);
    if (key === undefined) break;
    const how = random.chance(0.5) ? 'left out' : 'wrong';
    lied.set(formatKey(key), how);
    const difference = how === 'wrong' ? 'other-version' : 'not-listed';
    mustFind(played, key, { difference, cause: 'judge-error', state });
  }
  const told = rows.flatMap((row): ReportRow[] => {
    const how = lied.get(formatKey(row));
    if (how === undefined) return [row];
    return how === 'wrong' ? [{ ...row, attributes: { ...row.attributes, etag: '0xFFFFFFFFFFFFFFF' } }] : [];
  });
  const [model] = rows;
  if (model === undefined || !random.chance(0.3)) return told;
  // That it never was cannot be told from that it is gone since.
  const ghost = newKey(played, model.container);
  mustFind(played, ghost, { difference: 'not-indexed', cause: 'changed-since', state });
  return [...told, { ...model, ...ghost }];
}

/** Something is written while the judge is at work. @returns what Azure tells of it. */
export function race(played: Played): Told {
  const { account, random } = played;
  const known = random.chance(0.7) ? random.pick([played.free[0], ...played.free]) : undefined;
  const key = known ?? newKey(played, containerOf(played));
  played.raced.add(formatKey(key));
  played.world.blobs.later(random.between(10, 3_000));
  const attributes = account.attributes(key);
  if (attributes !== undefined && random.chance(0.4)) return account.delete(key);
  if (attributes !== undefined && attributes.blobType !== 'BlockBlob') return account.grow(key);
  return account.put(key);
}
