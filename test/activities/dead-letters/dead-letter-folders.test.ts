import { describe, expect, it } from 'vitest';
import { DeadLetterFolders, SweptFolders } from '../../../activities/dead-letters/dead-letter-folders.ts';

const NOW = Date.UTC(2026, 10, 3, 12);

/** What a sweep finds that comes by so many roots, over so many pages. */
function swept(roots: number, pages: number): SweptFolders {
  const found = new SweptFolders();
  const each = Math.ceil(roots / pages);
  for (let page = 0; page < pages; page++) {
    found.page(Array.from({ length: each }, (_, at) => `SUB-${page * each + at}/2026/11/3/5/id.json`));
  }
  return found;
}

function next(found: SweptFolders): readonly string[] {
  const folders = new DeadLetterFolders();
  folders.swept(NOW, found);
  return folders.next(NOW + 60_000).prefixes;
}

describe('the folders of what Event Grid gave up on', () => {
  it('are listed by their last days where these are fewer than the pages, though the first page has many of them', () => {
    const found = swept(200, 1);
    for (let page = 1; page < 1_000; page++) found.page([`SUB-199/2026/11/3/5/${page}.json`]);
    expect(next(found)).toHaveLength(600);
  });

  it('are not remembered without end, and all of it is listed where they are too many', () => {
    const found = swept(100_000, 20_000);
    expect(found.roots.size).toBeLessThanOrEqual(1_000);
    expect(next(found)).toEqual(['']);
  });
});
