import { inspectBeside } from '../../activities/vast/file-view/inspect-beside.ts';
import { messageOf } from '../../schema/errors.ts';
import type { Federation } from '../../schema/federation/federation.ts';
import { type Asking, ask } from './ask.ts';
import { type Finding, wrong } from './finding.ts';
import { judgeSink } from './judge-sink.ts';

export async function* checkSinks({ sinks }: Pick<Federation, 'sinks'>, asking: Asking): AsyncGenerator<Finding> {
  for (const [sink, { root }] of Object.entries(sinks)) {
    const asked = await ask(asking, `sink ${sink} at ${root}`, (signal) => inspectBeside(root, signal));
    if (asked.answered) yield* judgeSink(asked.answer, { sink, root });
    else {
      yield wrong(
        `sink.${sink}.root`,
        `${root} cannot be tried out: ${messageOf(asked.error)}`,
        `See whether its mount hangs: timeout 5 stat -f ${root}; mount it anew: umount -l ${root} && mount ${root}`,
      );
    }
  }
}
