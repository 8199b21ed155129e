import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';

const FIRST_MS = 2_000;
/** Of the time that the work has taken so far: a day of work is looked at some 200 times, so history stays small. */
const SHARE = 0.05;

/** Does one piece of work, and meanwhile now and then has its progress asked and shown. A glance that fails is left out. */
export async function watched<Result>(work: () => Promise<Result>, glance: () => Promise<void>): Promise<Result> {
  const began = Date.now();
  const scope = new CancellationScope();
  const watching = scope.run(async () => {
    for (;;) {
      await sleep(Math.max(FIRST_MS, (Date.now() - began) * SHARE));
      await glance().catch((error: unknown) => {
        if (isCancellation(error)) throw error;
      });
    }
  });
  // It ends by its cancellation alone.
  const watched = watching.catch(() => undefined);
  try {
    return await work();
  } finally {
    scope.cancel();
    await watched;
  }
}
