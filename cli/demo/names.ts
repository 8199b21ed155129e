/** Names that Azure allows and that a careless system loses, merges or misreads. */
export const AWKWARD_NAMES: readonly string[] = [
  'plain.txt',
  'with space.txt',
  ' leading and trailing ',
  'percent%20encoded%2Fname.txt',
  'plus+and&ampersand=.txt',
  'question?mark.txt',
  'hash#tag.txt',
  'quote"and\'apostrophe.txt',
  'comma,semicolon;.csv',
  'back`tick$(not a command).txt',
  'shadow',
  'shadow/below.txt',
  'deep/a/b/c/d/e/f/g/h/file.bin',
  'caf\u00e9.txt',
  'cafe\u0301.txt',
  'Case.txt',
  'case.txt',
  '\u65e5\u672c\u8a9e/\u30d5\u30a1\u30a4\u30eb.txt',
  'emoji-\u{1f680}/\u{1f9ea}.bin',
  'private-\ue000-use.txt',
  '.hidden',
  'dots/...three',
  'under_score%percent_like.txt',
  'blobs/inside/blobs/name.txt',
  'double//slash.txt',
  `long/${'n'.repeat(250)}.txt`,
  `component-over-255-bytes/${'\u6f22'.repeat(100)}`,
  `thousand/${`${'k'.repeat(99)}/`.repeat(10)}end`,
];

/** Keys of a training set as people name them: shards below dated prefixes. */
export function shardName(at: number): string {
  const day = String((at % 28) + 1).padStart(2, '0');
  return `2026/11/${day}/shard-${String(at).padStart(5, '0')}.tar`;
}
