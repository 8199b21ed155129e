import { checkRewind, REWIND, type RewindAnswer, type RewindRequest } from '../../schema/inputs/feed.ts';
import type { FeedRewindOutput } from '../../schema/outputs/feed-rewind.ts';
import type { Call } from '../call.ts';
import { readFederation } from '../environment.ts';
import type { ExitCode } from '../exit-codes.ts';
import { formatTime } from '../format.ts';
import { formatGoesOn, orderFeed } from './feed-order.ts';

/** `isthmus feed rewind`: the feed is read again, from a time or from so many seconds ago. */
export async function feedRewind(
  options: { readonly to?: number | undefined; readonly by?: number | undefined; readonly reason: string },
  call: Call,
): Promise<ExitCode> {
  const federation = await readFederation(call.config, call.env);
  const { to, by, reason } = options;
  const input: RewindRequest = {
    ...(to === undefined ? {} : { to: formatTime(to) }),
    ...(by === undefined ? {} : { secondsAgo: by }),
    reason,
  };
  const update = { name: REWIND, input, checked: checkRewind(input, Date.now()) };
  return await orderFeed<RewindAnswer>(federation, update, call, ({ segment, progress }) => {
    const output: FeedRewindOutput = { segment, state: progress.state };
    if (call.json) call.terminal.print(JSON.stringify(output));
    else call.terminal.print(`The feed is read again from ${segment} on. ${formatGoesOn(progress)}`);
  });
}
