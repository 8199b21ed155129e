import type { FeedTurn } from '../schema/inputs/activities.ts';
import type { LoopInput } from '../schema/inputs/control.ts';
import { checkTail } from '../schema/inputs/feed-jobs.ts';
import { acceptStart } from './accept.ts';
import { turns } from './activities.ts';
import { takeFeedOrders } from './feed-orders.ts';
import { stoodAt } from './feed-standing.ts';
import { type Rest, runLoop } from './loop.ts';

/** Without a feed it is looked for this seldom, so that an account that has none costs little. */
const MOST_SECONDS_WITHOUT_FEED = 10;

/** The account's Change Feed, from its cursor to the end of the newest open segment, again and again. */
export async function feedTail(given: LoopInput): Promise<void> {
  const input = acceptStart(checkTail(given));
  let turnsWithoutFeed = 0;
  let began = 0;

  function rest({ state, reason, restSeconds }: FeedTurn): Rest | undefined {
    turnsWithoutFeed = state === 'no-feed' ? turnsWithoutFeed + 1 : 0;
    if (state === 'no-feed') {
      const least = restSeconds ?? input.idleSeconds;
      const growing = input.idleSeconds * 2 ** (turnsWithoutFeed - 1);
      const seconds = Math.max(least, Math.min(growing, MOST_SECONDS_WITHOUT_FEED));
      return { why: `no feed: ${reason ?? 'none was found'}`, seconds };
    }
    if (restSeconds === undefined) return undefined;
    return { why: `at the feed's end; it is polled again in ${restSeconds} s, or when woken`, seconds: restSeconds };
  }

  await runLoop(input, {
    source: 'feed',
    title: 'Feed tail',
    doing: 'reading the Change Feed',
    begin: takeFeedOrders,
    turn: (seconds) => {
      began = Date.now();
      return turns.tailFeed.executeWithOptions({ summary: 'read to the end, page by page' }, [{ seconds }]);
    },
    count: ({ records, applied, superseded }) => ({ records, applied, superseded }),
    note: ({ records, applied, reason }) =>
      `Last turn: ${records} records, ${applied} applied.${reason === undefined ? '' : ` ${reason}`}`,
    observe: (control, turn) => {
      control.stands(stoodAt(control.feed, turn, began));
      if (turn.state === 'corrupt' && !control.paused) control.alarm(turn.reason ?? 'a block of the feed is damaged');
    },
    rest,
  });
}
