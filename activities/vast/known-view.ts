import { IsthmusError } from '../../schema/errors.ts';
import type { Account } from '../../schema/index/accounts.ts';
import type { Index } from '../../schema/index/database.ts';
import { adoptSinkView, readSinkView, type SinkView, takeSinkView } from '../../schema/index/sink-views.ts';
import type { SeenRoot, ViewIdentity } from './file-view/view-identity.ts';

/** The view of one sink, as the index knows it. */
export function knownView(
  { index, account }: { readonly index: Index; readonly account: Account },
  sink: string,
): ViewIdentity {
  const refusal = (root: string, why: string) =>
    new IsthmusError('ISTHMUS_SINK', `'${root}' is not the view of sink ${sink}: ${why}. ${mendOfView(sink, root)}`);
  return {
    async check(look) {
      const known = await readSinkView(index.db, account.id, sink);
      const seen = look();
      const why = whyNotTheView(known, seen);
      if (why !== undefined) throw refusal(seen.root, why);
      return seen;
    },
    async take(root, viewId) {
      const taken = await takeSinkView(index.db, account.id, sink, viewId);
      if (taken !== viewId) throw refusal(root, 'another was taken for it just now');
    },
    adopt: (root, viewId) => adoptSinkView(index, account.id, { sink, root, viewId }),
  };
}

/** Why a root is not the view that the index knows; undefined where it is, or where none is known. */
export function whyNotTheView({ viewId, hadView }: SinkView, seen: SeenRoot): string | undefined {
  if (viewId === undefined) {
    return hadView && seen.viewId === undefined && !seen.wasUsed
      ? 'no worker has ever used it, and the sink is older'
      : undefined;
  }
  if (seen.viewId === viewId) return undefined;
  return seen.viewId === undefined
    ? 'it bears no identity, as a mount point without its view'
    : 'it bears the identity of another';
}

/** What to do about a root that is not the view. */
export function mendOfView(sink: string, root: string): string {
  return `Mount the view at ${root}. Or, where this is to be the view from now on, have all its stubs made there: isthmus reconcile sink ${sink} --new-view`;
}
