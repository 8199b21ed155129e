import type { Timestamp } from '../namespace/entry.ts';
import { latest } from '../namespace/latest.ts';
import type { FeedTurn } from '../schema/inputs/activities.ts';
import type { FeedStanding } from '../schema/inputs/feed.ts';

/**
 * Where the tail stands after a turn. A turn that a worker of before took may say less: what it leaves out is not known.
 *
 * @param began when the turn was begun. One that a rewind came into may have reached the end before it.
 */
export function stoodAt(before: FeedStanding | undefined, turn: FeedTurn, began: Timestamp): FeedStanding {
  const { segment, shards = [], lagSeconds, appliedTo, corrupt, caughtUp, records, applied, superseded } = turn;
  const rewound = before?.rewound;
  return {
    segment,
    shards: [...shards],
    recordsPerSecond: perSecond(records, turn.seconds),
    lagSeconds,
    // A worker that has just started knows of no moment before its first turn.
    appliedTo: latest(before?.appliedTo, appliedTo),
    corrupt,
    rewound:
      rewound === undefined || rewound.over
        ? rewound
        : {
            ...rewound,
            records: rewound.records + records,
            applied: rewound.applied + applied,
            superseded: rewound.superseded + superseded,
            over: caughtUp === true && began >= rewound.at,
          },
  };
}

export function perSecond(records: number, seconds: number | undefined): number {
  return seconds === undefined || seconds <= 0 ? 0 : Math.round(records / seconds);
}
