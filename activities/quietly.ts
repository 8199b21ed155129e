/** Does the work; where it fails because it was asked to stop, that is how it ends. */
export async function quietly(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
