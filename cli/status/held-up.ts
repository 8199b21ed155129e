import { printable } from '../terminal.ts';
import type { WorkflowStatus } from './workflow-status.ts';

/** Says of each loop that stands still while something waits for it why it does, once for each time that it was stopped. */
export class HeldUp {
  readonly #told = new Set<string>();

  /**
   * @param moving what is on its way, each with its source and a colon before it.
   * @param workflows undefined where Temporal does not answer.
   */
  tell(moving: readonly string[], workflows: readonly WorkflowStatus[] | undefined): readonly string[] {
    const stopped = (workflows ?? []).filter(
      ({ source, state }) =>
        (state === 'paused' || state === 'alarm') && moving.some((each) => each.startsWith(`${source}: `)),
    );
    return stopped.flatMap(({ id, source, state, reason, since }) => {
      const key = `${id} ${state} ${since}`;
      if (this.#told.has(key)) return [];
      this.#told.add(key);
      const is = state === 'paused' ? 'is paused by an operator' : 'has stopped in alarm';
      const time = since === null ? '' : ` since ${since}`;
      const why = reason === null ? '' : ` (${reason})`;
      return [printable(`${source} ${is}${time}${why}. This cannot end before \`isthmus resume ${source}\`.`)];
    });
  }
}
