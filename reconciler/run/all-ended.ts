/**
 * Waits for all of this work to end, also where some of it fails: whoever tries again must not meet the rest of it.
 *
 * @throws what the first of them, in their order, failed with.
 */
export async function allEnded(work: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find((each) => each.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
