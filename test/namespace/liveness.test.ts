import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { epochAt } from '../../namespace/epoch.ts';
import { isDead, isLive } from '../../namespace/liveness.ts';
import { container, entry, epoch, LIVING, MARGIN, NOW, time } from './arbitraries.ts';

const old = epochAt(NOW);
const made = NOW + 600_000;
const recreated = { newestEpoch: epochAt(made), goneAt: undefined };
const gone = { newestEpoch: undefined, goneAt: made };

describe('isDead', () => {
  it('kills an epoch below the newest, whatever its time', () => {
    expect(isDead({ epoch: old, seen: made + 1e6, fromLook: false }, recreated, MARGIN)).toBe('dead');
    expect(isDead({ epoch: epochAt(made), seen: NOW, fromLook: false }, recreated, MARGIN)).toBe('alive');
  });

  it('tells incarnations apart by time where there is no epoch, or a look made the state', () => {
    for (const clock of [
      { fromLook: false },
      { fromLook: true, epoch: old },
      { fromLook: true, epoch: epochAt(made) },
    ]) {
      expect(isDead({ ...clock, seen: made - 15_001 }, recreated, MARGIN)).toBe('dead');
      expect(isDead({ ...clock, seen: made - 15_000 }, recreated, MARGIN)).toBe('alive');
    }
  });

  it("kills what is older than the container's own 404, and is unsure within M of it", () => {
    for (const clock of [{ fromLook: false }, { fromLook: false, epoch: old }, { fromLook: true, epoch: old }]) {
      expect(isDead({ ...clock, seen: made - MARGIN - 1 }, gone, MARGIN)).toBe('dead');
      expect(isDead({ ...clock, seen: made - MARGIN }, gone, MARGIN)).toBe('unsure');
      expect(isDead({ ...clock, seen: made + MARGIN }, gone, MARGIN)).toBe('unsure');
      expect(isDead({ ...clock, seen: made + MARGIN + 1 }, gone, MARGIN)).toBe('alive');
    }
    expect(isDead({ epoch: epochAt(made + 1), seen: made, fromLook: false }, gone, MARGIN)).toBe('alive');
  });

  it('2: never brings back what is dead, however much more is learned of the container', () => {
    const clock = fc.record({ epoch: fc.option(epoch, { nil: undefined }), seen: time, fromLook: fc.boolean() });
    fc.assert(
      fc.property(clock, container, container, (known, before, later) => {
        const epochs = [before.newestEpoch, later.newestEpoch].filter((value) => value !== undefined).sort();
        const gones = [before.goneAt, later.goneAt].filter((value) => value !== undefined).sort((a, b) => a - b);
        const after = { newestEpoch: epochs.at(-1), goneAt: gones.at(-1) };
        if (isDead(known, before, MARGIN) === 'dead') expect(isDead(known, after, MARGIN)).toBe('dead');
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('isLive', () => {
  it('never holds for a tombstone, and is what the row says while nothing is known of the container', () => {
    fc.assert(
      fc.property(entry, container, (row, state) => {
        if (!row.live) expect(isLive(row, state, MARGIN)).toBe(false);
        expect(isLive(row, LIVING, MARGIN)).toBe(row.live);
      }),
    );
  });
});
