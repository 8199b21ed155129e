import { describe, expect, it } from 'vitest';
import { plotOf } from '../../../cli/demo/plot.ts';

const titles = (hierarchical: boolean) => plotOf(hierarchical).map(({ title }) => title);

describe("the demo's story", () => {
  it('tells of a feed only where there is one', () => {
    expect(titles(false).filter((title) => /feed/i.test(title))).toHaveLength(4);
    expect(titles(true).filter((title) => /feed/i.test(title))).toEqual([]);
  });

  it('has directories only on an account with a hierarchical namespace, in a chapter before the same news come again', () => {
    const ofDirectories = (hierarchical: boolean) => titles(hierarchical).findIndex((title) => /director/i.test(title));
    expect(ofDirectories(false)).toBe(-1);
    const again = titles(true).findIndex((title) => /same news/i.test(title));
    expect(ofDirectories(true)).toBeLessThan(again);
  });

  it('is the same otherwise, and ends by comparing source, index and sink', () => {
    const left = plotOf(false).map(({ run }) => run);
    const shared = plotOf(true).filter(({ run }) => left.includes(run));
    expect(shared).toHaveLength(plotOf(true).length - 1);
    for (const hierarchical of [false, true]) expect(titles(hierarchical).at(-1)).toMatch(/^Verify/);
  });
});
