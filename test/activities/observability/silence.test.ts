import { describe, expect, it } from 'vitest';
import { SilenceWatch } from '../../../activities/observability/silence.ts';

const at = (progress: string, behind = true) => ({ source: 'feed', behind, progress });

describe('9: silence', () => {
  it('9: counts from when there was news, while nothing of it is taken', () => {
    const watch = new SilenceWatch();
    expect(watch.observe(at('a'), 1_000)).toBe(1_000);
    expect(watch.observe(at('a'), 31_000)).toBe(1_000);
    expect(watch.observe(at('a'), 62_000)).toBe(1_000);
  });

  it('9: ends with any progress, however far the source is behind', () => {
    const watch = new SilenceWatch();
    watch.observe(at('a'), 0);
    expect(watch.observe(at('b'), 61_000)).toBe(61_000);
    expect(watch.observe(at('b'), 61_500)).toBe(61_000);
  });

  it('9: does not begin before there is news', () => {
    const watch = new SilenceWatch();
    expect(watch.observe(at('a', false), 0)).toBeUndefined();
    expect(watch.observe(at('a', false), 600_000)).toBeUndefined();
    expect(watch.observe(at('a'), 600_000)).toBe(600_000);
    expect(watch.observe(at('a'), 630_000)).toBe(600_000);
  });

  it('9: is told for each source by itself', () => {
    const watch = new SilenceWatch();
    watch.observe(at('a'), 0);
    expect(watch.observe({ ...at('a'), source: 'trigger' }, 61_000)).toBe(61_000);
    expect(watch.observe(at('a'), 61_000)).toBe(0);
  });
});
