import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  containerVersionOf,
  SequencerSource,
  sequencerDiagnostics,
  sequencerOf,
  ticksOf,
} from '../../../infra/local/storage/sequencer-source.ts';
import { epochTime, parseEpoch } from '../../../namespace/epoch.ts';
import { parseSequencer } from '../../../namespace/sequencer.ts';

function clockOf(times: readonly number[]) {
  let at = 0;
  return { now: () => times[Math.min(at++, times.length - 1)] ?? 0, sleep: () => Promise.resolve() };
}

describe('SequencerSource', () => {
  it('1: sequencers rise strictly, whatever the clock does, and again after a restart', () => {
    const times = fc.array(fc.integer({ min: 0, max: 4_000_000_000_000 }), { minLength: 2, maxLength: 50 });
    fc.assert(
      fc.property(times, fc.nat(48), (clock, cut) => {
        const before = new SequencerSource(clockOf(clock.slice(0, cut + 1)));
        const stamps = clock.slice(0, cut + 1).map(() => before.next());
        const after = new SequencerSource(clockOf(clock.slice(cut + 1)), stamps.at(-1)?.ticks);
        stamps.push(...clock.slice(cut + 1).map(() => after.next()));
        const sequencers = stamps.map(({ ticks }) => parseSequencer(sequencerOf(ticks)) ?? '');
        for (const [at, sequencer] of sequencers.entries())
          if (at > 0) expect(sequencer > (sequencers[at - 1] ?? '')).toBe(true);
      }),
    );
  });

  it('prints three groups of 16 digits, the second in upper case and the third in lower, as real ones do', () => {
    const { ticks } = new SequencerSource(clockOf([Date.UTC(2026, 10, 21, 12)])).next();
    expect(sequencerOf(ticks)).toMatch(/^0{16}[0-9A-F]{16}[0-9a-f]{16}$/);
    expect(ticksOf(sequencerOf(ticks))).toBe(ticks);
  });

  it('orders sequencers as their times', () => {
    const moment = fc.integer({ min: 0, max: 4_000_000_000_000 });
    fc.assert(
      fc.property(moment, moment, (a, b) => {
        const [first, second] = [a, b].map((time) => sequencerOf(new SequencerSource(clockOf([time])).next().ticks));
        if (a < b) expect((first ?? '').toLowerCase() < (second ?? '').toLowerCase()).toBe(true);
      }),
    );
  });

  it("prints a container's version as the FILETIME of its creation", () => {
    const created = Date.UTC(2020, 4, 12, 22, 30, 49, 710);
    const version = containerVersionOf(new SequencerSource(clockOf([created])).next().ticks);
    // A container of the real feed was made in that very 10 ms.
    expect(version).toMatch(/^01D628ACFCF0[0-9A-F]{4}$/);
    expect(epochTime(parseEpoch(version) ?? expect.fail('no epoch'))).toBe(created);
  });

  it('prints the groups in decimal for the diagnostics, as in the real record', () => {
    const seq = sequencerDiagnostics('0000000000000000000000000000404C0000000001237a9b');
    expect(seq).toMatch(/^\(16460,\d+,19102363,\d+\)$/);
  });

  it('gives event times seven fractional digits', () => {
    const { time } = new SequencerSource(clockOf([Date.UTC(2026, 0, 2, 3, 4, 5, 6)])).next();
    expect(time).toBe('2026-01-02T03:04:05.0060000Z');
  });
});
