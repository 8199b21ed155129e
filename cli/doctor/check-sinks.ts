import { inspectBeside } from '../../activities/vast/file-view/inspect-beside.ts';
import { messageOf } from '../../schema/errors.ts';
import type { Federation } from '../../schema/federation/federation.ts';
import type { SinkView } from '../../schema/index/sink-views.ts';
import { type Asking, ask } from './ask.ts';
import { type Finding, wrong } from './finding.ts';
import { judgeSink } from './judge-sink.ts';
import { judgeView } from './judge-view.ts';

/** @param views which view the index knows of each sink, by its name; undefined where it does not answer. */
export async function* checkSinks(
  { sinks }: Pick<Federation, 'sinks'>,
  views: ReadonlyMap<string, SinkView> | undefined,
  asking: Asking,
): AsyncGenerator<Finding> {
  for (const [sink, { root }] of Object.entries(sinks)) {
    const asked = await ask(asking, `sink ${sink} at ${root}`, (signal) => inspectBeside(root, signal));
    if (asked.answered) {
      const found = asked.answer;
      yield* judgeSink(found, { sink, root });
      const view = views?.get(sink);
      if (found.kind === 'probed' && view !== undefined) yield* judgeView(found.seen, view, { sink, root });
    } else {
      yield wrong(
        `sink.${sink}.root`,
        `${root} cannot be tried out: ${messageOf(asked.error)}`,
        `See whether its mount hangs: timeout 5 stat -f ${root}; mount it anew: umount -l ${root} && mount ${root}`,
      );
    }
  }
}
