import { counted } from '../../schema/counted.ts';
import type { HydrateSummary } from '../../schema/inputs/activities.ts';
import { formatBytes } from '../format.ts';
import { printable } from '../terminal.ts';

/** What became of a request, for people. */
export function formatHydrated({ files, already, bytes, failed, failures }: HydrateSummary): readonly string[] {
  const also = already === 0 ? '' : `, ${already} had their bytes`;
  return [
    `${counted(files, 'file')} fetched (${formatBytes(bytes)})${also}, ${failed} failed`,
    ...failures.map((failure) => `  ${printable(failure)}`),
  ];
}

/** Why nothing was there to be fetched; undefined where something was. */
export function whyNothing(prefix: string, { files, already, failed }: HydrateSummary): string | undefined {
  if (files + already + failed > 0) return undefined;
  return `No live entry that a rule gives to Blob starts with '${printable(prefix)}'; \`isthmus ls\` lists those there are.`;
}
