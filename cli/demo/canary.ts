import { readTriggerWatch, type TriggerWatchRow } from '../../schema/index/trigger-watch.ts';
import type { StatusOutput } from '../../schema/outputs/status.ts';
import { isthmus } from './isthmus.ts';
import type { Story } from './story.ts';
import { until } from './until.ts';

/** It is written with a turn of the intake that begins 30 s after the last, so each minute at the latest, and later where a worker was killed. */
const WRITTEN_WITHIN_MS = 150_000;
const TOLD_WITHIN_MS = 30_000;

/** Waits until a canary was written since then whose trigger has not come. */
export async function awaitUnheardCanary(story: Story, since: number): Promise<void> {
  await awaitCanary(
    story,
    'A canary',
    ({ writtenAt = 0, waitingSince }) => writtenAt >= since && waitingSince !== undefined,
  );
}

/** Waits until none is missed any more since then, by every transport; the next one may be on its way. */
export async function awaitHeardCanary(story: Story, since: number): Promise<void> {
  await awaitCanary(story, 'The trigger of a canary', ({ waitingSince }) => (waitingSince ?? Date.now()) > since);
}

/** What `isthmus status` rings with where no trigger of the canary comes. */
export async function awaitSilenceAlarm(story: Story): Promise<string> {
  const what = 'The alarm of a canary that was not heard';
  return await until({ signal: story.signal, withinMs: TOLD_WITHIN_MS, everyMs: 500, what }, async () => {
    const { alarms } = await isthmus<StatusOutput>(story, ['status']);
    return alarms.find(({ kind }) => kind === 'unannounced')?.kind;
  });
}

async function awaitCanary(
  { signal, index, account }: Story,
  what: string,
  is: (canary: TriggerWatchRow['canary']) => boolean,
): Promise<void> {
  await until({ signal, withinMs: WRITTEN_WITHIN_MS, everyMs: 200, what }, async () => {
    const watched = await readTriggerWatch(index.db, account.id);
    return watched.every(({ canary }) => is(canary)) || undefined;
  });
}
