import { compileRules } from '../../namespace/authority.ts';
import { judgedKeys } from '../../reconciler/scope/judged-keys.ts';
import type { Account } from '../../schema/index/accounts.ts';
import { liveRules } from '../../schema/index/authority-revisions.ts';
import type { Index } from '../../schema/index/database.ts';
import type { BlobSource } from '../../schema/ports/blob-source.ts';
import type { Sink } from '../../schema/ports/sink.ts';
import { cancelOnAbort } from '../cancel-on-abort.ts';
import { compareSides } from './compare-sides.ts';
import type { Difference, VerifyResult } from './difference.ts';
import { makeSides, type Staged, sealSides, stageSinks, stageSource } from './stage-sides.ts';

/** What a comparison reads. */
export interface Verified {
  readonly index: Index;
  readonly account: Account;
  readonly blobs: BlobSource;
  readonly sinks: ReadonlyMap<string, Sink>;
}

export interface VerifyProgress {
  readonly doing: 'listing the source' | 'walking the sinks' | 'comparing';
  /** Names read so far. */
  readonly names: number;
}

export interface VerifyOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: VerifyProgress) => void) | undefined;
}

/**
 * Compares the source's listing, the index's live entries and the files of every sink by name, size and ETag,
 * under the Blob-authoritative rules and a plain prefix of `container/name`.
 *
 * Both listings are staged in Postgres, in tables of one connection that is closed at the end, whatever the
 * end is; nothing here grows with the number of names. The three are not read at one moment: what changes
 * meanwhile may show as a difference.
 *
 * @returns the counts, after every difference was handed out in key order.
 */
export async function* verifyNamespace(
  { index, account, blobs, sinks }: Verified,
  prefix: string,
  { signal, onProgress }: VerifyOptions,
): AsyncGenerator<Difference, VerifyResult> {
  const set = (await liveRules(index.db, account.id)) ?? { revision: 0, rules: [] };
  const keys = judgedKeys(set.rules, prefix);
  const client = await index.pool.connect();
  const cancel = await cancelOnAbort(client, index, signal);
  try {
    let doing: VerifyProgress['doing'] = 'listing the source';
    let names = 0;
    const onNames = (more: number) => {
      names += more;
      onProgress?.({ doing, names });
    };
    const staged: Staged = { rules: set.rules, match: compileRules(set), prefix, keys, onNames };
    await makeSides(client);
    const source = await stageSource(client, blobs, staged, signal);
    doing = 'walking the sinks';
    const sink = await stageSinks(client, sinks, staged, signal);
    doing = 'comparing';
    onNames(0);
    await sealSides(client);

    const found = { differences: 0, shadowed: 0, unrepresentable: 0 };
    const compared = compareSides(client, index, account.id, keys, signal);
    for (;;) {
      const next = await compared.next();
      if (next.done === true) return { source, index: next.value, sink, ...found };
      const { apart, what } = next.value;
      if (!apart) found.differences++;
      else if (what.startsWith('shadowed')) found.shadowed++;
      else found.unrepresentable++;
      yield next.value;
    }
  } catch (error) {
    // What the abort broke off is not what went wrong.
    signal.throwIfAborted();
    throw error;
  } finally {
    cancel();
    client.release(true);
  }
}
