import { segmentTime } from '../../schema/feed/segment-path.ts';
import { checkRewind, REWIND, type RewindAnswer, type RewindRequest } from '../../schema/inputs/feed.ts';
import type { FeedRewindOutput } from '../../schema/outputs/feed-rewind.ts';
import type { Call } from '../call.ts';
import { readFederation } from '../environment.ts';
import type { ExitCode } from '../exit-codes.ts';
import { typed } from '../feed/typed.ts';
import { formatTime } from '../format.ts';
import { formatGoesOn, orderFeed } from './feed-order.ts';

const WORDS = {
  ...typed('feed rewind', '--by 1h --reason "a rule was wrong since noon"', { secondsAgo: '--by' }),
  targets: '--to and --by',
};

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
  const now = Date.now();
  const update = { name: REWIND, input, checked: checkRewind(input, now, WORDS) };
  return await orderFeed<RewindAnswer>(federation, update, call, ({ segment, progress }) => {
    const asked = to ?? now - (by ?? 0) * 1000;
    const fromBeginning = (segmentTime(segment) ?? asked) > asked;
    const output: FeedRewindOutput = { segment, fromBeginning, state: progress.state };
    const where = fromBeginning
      ? `The feed has nothing of ${formatTime(asked)}. It is read again from its beginning on, ${segment}.`
      : `The feed is read again from ${segment} on.`;
    call.terminal.print(call.json ? JSON.stringify(output) : `${where} ${formatGoesOn(progress)}`);
  });
}
