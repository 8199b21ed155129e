import type { Index, Queryable } from './database.ts';
import { recordJournal } from './journal.ts';
import { ensureSinks } from './sinks.ts';
import { transact } from './transact.ts';

/** What the index knows of a sink's view. */
export interface SinkView {
  /** The identity that the view bears; none: no worker has taken one yet. */
  readonly viewId: string | undefined;
  /** The sink was there before views had identities, so that one without may be its. */
  readonly hadView: boolean;
}

/** What is known of the view of each sink, by its name. */
export async function readSinkViews(on: Queryable, accountId: number): Promise<ReadonlyMap<string, SinkView>> {
  const rows = await on
    .selectFrom('sinks')
    .select(['name', 'view_id', 'had_view'])
    .where('account_id', '=', accountId)
    .execute();
  return new Map(
    rows.map(({ name, view_id, had_view }) => [name, { viewId: view_id ?? undefined, hadView: had_view }]),
  );
}

/** @returns what is known, where nothing is: neither. */
export async function readSinkView(on: Queryable, accountId: number, sink: string): Promise<SinkView> {
  return (await readSinkViews(on, accountId)).get(sink) ?? { viewId: undefined, hadView: false };
}

/**
 * Takes a view for a sink that has none. Of several workers that start at once, the first decides.
 *
 * @returns the identity that the sink has now: the given one, or that of who was first.
 */
export async function takeSinkView(
  on: Queryable,
  accountId: number,
  sink: string,
  viewId: string,
): Promise<string | undefined> {
  await ensureSinks(on, accountId, [sink]);
  await on
    .updateTable('sinks')
    .set({ view_id: viewId })
    .where('account_id', '=', accountId)
    .where('name', '=', sink)
    .where('view_id', 'is', null)
    .execute();
  return (await readSinkView(on, accountId, sink)).viewId;
}

/** An operator's word that a sink's view is this one from now on. What of its stubs is there, a judge finds. */
export async function adoptSinkView(
  index: Index,
  accountId: number,
  { sink, root, viewId }: { readonly sink: string; readonly root: string; readonly viewId: string },
): Promise<void> {
  await transact(index, async (tx) => {
    await ensureSinks(tx, accountId, [sink]);
    const of = tx.selectFrom('sinks').select('view_id').where('account_id', '=', accountId).where('name', '=', sink);
    const { view_id: before } = await of.forNoKeyUpdate().executeTakeFirstOrThrow();
    if (before === viewId) return;
    const set = tx.updateTable('sinks').set({ view_id: viewId });
    await set.where('account_id', '=', accountId).where('name', '=', sink).execute();
    await recordJournal(tx, accountId, [{ kind: 'sink-adopted', detail: { sink, root, viewId, before } }]);
  });
}
