import { counted } from '../../schema/counted.ts';
import type { RebuildOutput } from '../../schema/outputs/rebuild.ts';
import { formatBytes, formatSeconds } from '../format.ts';

/** What a rebuild has brought back, for people. */
export function formatRebuilt({ entries, bytes, stubs, hydrated, notShown, ...of }: RebuildOutput): readonly string[] {
  const lines = [
    `Rebuilt in ${formatSeconds(of.seconds)}: ${counted(entries, 'live name')} of ${formatBytes(bytes)}, by the listing ${of.runId}.`,
    `${counted(stubs, 'stub')}, and ${counted(hydrated, 'hydrated file')} that nothing was fetched for.`,
  ];
  if (of.feedFrom !== null) lines.push(`The feed was read from ${of.feedFrom} on.`);
  const others = Object.entries(notShown).map(([why, count]) => `${count} ${why}`);
  if (others.length > 0) lines.push(`Names that no file shows: ${others.join(', ')}.`);
  lines.push('`isthmus verify` compares source, index and sink.');
  return lines;
}
