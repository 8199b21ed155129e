import { defineUpdate, setHandler } from '@temporalio/workflow';
import {
  checkRewind,
  checkSkip,
  type FeedStanding,
  REWIND,
  type RewindAnswer,
  type RewindRequest,
  rewindOf,
  SKIP,
  type SkipAnswer,
  type SkipRequest,
  skipOf,
} from '../schema/inputs/feed.ts';
import { accept } from './accept.ts';
import { orders } from './activities.ts';
import type { Control } from './control.ts';
import { told } from './told.ts';

const rewindUpdate = defineUpdate<RewindAnswer, [RewindRequest]>(REWIND);
const skipUpdate = defineUpdate<SkipAnswer, [SkipRequest]>(SKIP);

/**
 * What an operator can ask of the feed tail, whether it runs or is stopped: `rewind` and `skip`. They move the
 * cursor by activities of their own. Pages of a turn under way lose their compare-and-set then, so it is left to
 * end by itself; a rest ends at once. A loop that is stopped stays so until `resume`.
 *
 * Only the validators check, which do not run on replay: an order that was let in stays so, however much stricter
 * a later version is, or its workflow could not be replayed any more.
 */
export function takeFeedOrders(control: Control, wake: () => void): void {
  setHandler(
    rewindUpdate,
    async (request) => {
      const input = rewindOf(request);
      const { segment } = await told(
        orders.rewindFeed.executeWithOptions({ summary: `rewind: ${input.reason}` }, [input]),
      );
      const none = { records: 0, applied: 0, superseded: 0, over: false };
      const rewound = { at: Date.now(), segment, reason: input.reason, ...none };
      control.stands({ ...standing(control), segment, shards: [], lagSeconds: undefined, corrupt: undefined, rewound });
      wake();
      return { segment, progress: control.progress() };
    },
    {
      description: 'Reads again from a time on: {"secondsAgo": 3600, "reason": "..."}, or "to", or "cursor".',
      validator: (request) => void accept(checkRewind(request, Date.now())),
    },
  );
  setHandler(
    skipUpdate,
    async (request) => {
      const input = skipOf(request);
      const { chunk, offset, reason } = input;
      const skipped = await told(orders.skipFeedBlock.executeWithOptions({ summary: `skip: ${reason}` }, [input]));
      const { corrupt, ...rest } = standing(control);
      const mended = corrupt?.chunk === chunk && corrupt.offset === offset;
      const note = `Left out bytes ${skipped.from} to ${skipped.to} of \`${chunk}\` (${reason}); a reconcile is asked for.`;
      control.stands({ ...rest, corrupt: mended ? undefined : corrupt }, note);
      wake();
      return { ...skipped, progress: control.progress() };
    },
    {
      description: 'Leaves out a block that cannot be read: {"chunk": "...", "offset": 0, "reason": "..."}.',
      validator: (request) => void accept(checkSkip(request)),
    },
  );
}

function standing({ feed }: Control): FeedStanding {
  return feed ?? { shards: [], recordsPerSecond: 0 };
}
