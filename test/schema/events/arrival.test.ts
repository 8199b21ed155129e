import { describe, expect, it } from 'vitest';
import type { BlobEvent } from '../../../namespace/change.ts';
import { parseSequencer } from '../../../namespace/sequencer.ts';
import { eventAsArrived, subtreeAsArrived } from '../../../schema/events/arrival.ts';
import type { SubtreeChange } from '../../../schema/events/subtree.ts';

const ARRIVED = Date.UTC(2026, 0, 1);
const MARGIN = 20_000;

const event = (time: number): BlobEvent => ({
  ...{ kind: 'event', source: 'trigger', effect: 'delete', attributes: undefined, epoch: undefined },
  ...{ container: 'lake', name: 'a', sequencer: parseSequencer('1'), time, eventId: 'e', api: 'DeleteBlob' },
});
const subtree = (time: number): SubtreeChange => ({
  ...{ gone: { container: 'lake', name: 'd' }, made: undefined, recursive: true, time, eventId: 'e' },
  api: 'DeleteDirectory',
});

describe('what arrives of a time that has not been', () => {
  it('1: orders nothing where two clocks cannot explain it, and keeps its time', () => {
    expect(eventAsArrived(event(ARRIVED + MARGIN), ARRIVED, MARGIN)).toEqual(event(ARRIVED + MARGIN));
    const ahead = event(ARRIVED + MARGIN + 1);
    expect(eventAsArrived(ahead, ARRIVED, MARGIN)).toEqual({ ...ahead, sequencer: undefined });
  });

  it('1: ends a directory when the word of it arrived, and not later', () => {
    expect(subtreeAsArrived(subtree(ARRIVED), ARRIVED)).toEqual(subtree(ARRIVED));
    expect(subtreeAsArrived(subtree(ARRIVED + 1), ARRIVED)).toEqual(subtree(ARRIVED));
  });
});
