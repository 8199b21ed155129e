import { checkSkip, SKIP, type SkipAnswer, type SkipRequest } from '../../schema/inputs/feed.ts';
import type { FeedSkipOutput } from '../../schema/outputs/feed-skip.ts';
import type { Call } from '../call.ts';
import { readFederation } from '../environment.ts';
import type { ExitCode } from '../exit-codes.ts';
import { typed } from '../feed/typed.ts';
import { formatGoesOn, orderFeed } from './feed-order.ts';

const WORDS = typed('feed skip', 'log/00/2026/11/21/1400/00000.avro 4096 --reason "the block is damaged"', {
  chunk: '<chunk>',
  offset: '<offset>',
});

/** `isthmus feed skip`: exit 1 where no shard stands at that block. */
export async function feedSkip(request: SkipRequest, call: Call): Promise<ExitCode> {
  const federation = await readFederation(call.config, call.env);
  const update = { name: SKIP, input: request, checked: checkSkip(request, WORDS) };
  return await orderFeed<SkipAnswer>(federation, update, call, ({ from, to, progress }) => {
    const { chunk } = request;
    const output: FeedSkipOutput = { chunk, from, to, state: progress.state };
    if (call.json) call.terminal.print(JSON.stringify(output));
    else {
      call.terminal.print(`Bytes ${from} to ${to} of ${chunk} are left out, and a reconcile is asked for.`);
      call.terminal.print(formatGoesOn(progress));
    }
  });
}
