import { CancellationScope } from '@temporalio/workflow';

/** Waits for all. Where one fails the others are cancelled and waited for, so that the next turn meets nothing of this one. */
export async function together<const Work extends readonly Promise<unknown>[]>(
  work: Work,
): Promise<{ -readonly [At in keyof Work]: Awaited<Work[At]> }> {
  try {
    return await Promise.all(work);
  } catch (error) {
    CancellationScope.current().cancel();
    await Promise.allSettled(work);
    throw error;
  }
}
