import type { StubDispatchInput } from '../schema/inputs/control.ts';
import { turns } from './activities.ts';
import { runLoop } from './loop.ts';

/** One sink: claims the stubs that are behind their entries, writes them, releases them. */
export function stubDispatch(input: StubDispatchInput): Promise<void> {
  const { sink } = input;
  return runLoop(input, {
    source: `stub:${sink}`,
    title: `Stub dispatch to ${sink}`,
    doing: 'writing stubs that are behind',
    turn: (seconds) =>
      turns.dispatchStubs.executeWithOptions({ summary: `write stubs to ${sink}` }, [{ seconds, sink }]),
    count: ({ written, removed, unchanged, failed }) => ({ written, removed, unchanged, failed }),
    note: ({ written, removed, failed, pending }) =>
      `Last turn: ${written} written, ${removed} removed, ${failed} failed; ${pending} still behind.`,
  });
}
