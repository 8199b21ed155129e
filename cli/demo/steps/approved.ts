import { digestEntries } from '../../../schema/index/queries.ts';
import type {
  ReconcileDecideOutput,
  ReconcileRunOutput,
  ReconcileUndoOutput,
} from '../../../schema/outputs/reconcile.ts';
import { isthmus } from '../isthmus.ts';
import { inParallel } from '../parallel.ts';
import type { Figures, Step, Story } from '../story.ts';
import { ARCHIVE, ARCHIVED, archiveName } from './upload.ts';

const BACK = 40;

/** No source tells that a whole container was emptied. A listing finds it, and deletes nothing before it is approved. */
export const approvedStep: Step = {
  title: 'A mass delete that only a listing sees waits for approval, and is undone',
  async run(story, say) {
    await story.control.setFaults({
      triggers: { dropRate: 1 },
      ...(story.hierarchical ? {} : { feed: { hold: true } }),
    });
    try {
      return await deleted(story, say);
    } finally {
      await story.control.clearFaults();
      story.triggersBackAt = Date.now();
    }
  },
};

async function deleted(story: Story, say: (doing: string) => void): Promise<Figures> {
  const archive = story.blobs.getContainerClient(ARCHIVE);
  const names = Array.from({ length: ARCHIVED }, (_, at) => archiveName(at));
  say(`deleting all ${ARCHIVED} blobs of a container`);
  await inParallel(names, 16, (name) => archive.getBlockBlobClient(name).delete());
  say('a listing lacks them all, and waits for approval');
  const judged = await isthmus<ReconcileRunOutput>(story, ['reconcile', 'run', '--prefix', `${ARCHIVE}/`], [1]);
  if (!('plan' in judged)) throw new Error(`The percent stop let a mass delete pass: ${JSON.stringify(judged)}`);
  const { runId, deleted } = judged.plan;
  const kept = await live(story);
  if (kept !== ARCHIVED) throw new Error(`Only ${kept} of ${ARCHIVED} names are live, though nobody has approved.`);
  say('approving it');
  await isthmus<ReconcileDecideOutput>(story, ['reconcile', 'approve', String(runId), '--reason', 'they were to go']);
  const left = await live(story);
  if (left !== 0) throw new Error(`${left} names are live that were approved to be deleted.`);
  say(`writing ${BACK} of them again, and undoing it`);
  await inParallel(names.slice(0, BACK), 16, (name) => archive.getBlockBlobClient(name).upload('back', 4));
  const { restored, gone } = await isthmus<ReconcileUndoOutput>(story, ['reconcile', 'undo', String(runId)]);
  return { planned: deleted.names, liveBefore: kept, liveAfter: left, restored, gone };
}

async function live({ index, account }: Story): Promise<number> {
  return (await digestEntries(index, account.id, `${ARCHIVE}/`)).entries;
}
