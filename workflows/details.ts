import type { Progress } from '../schema/inputs/control.ts';
import { formatFeed } from './feed-details.ts';

/** Temporal's UI cuts off the last line, so it is an empty one: a no-break space, as the UI shows `&nbsp;` as it is. */
const LAST_LINE = '\u00a0';

/** What Temporal's UI shows of a workflow, in Markdown: its title, where it stands, why it stands still, what it did. */
export function formatDetails(title: string, progress: Progress, note: string | undefined): string {
  const { state, pause, doing, turns, totals, feed } = progress;
  const lines = [`### ${title}`, '', `**${state}** · ${doing}`];
  if (pause !== undefined) {
    const whom = pause.by === 'operator' ? 'Paused by an operator' : 'Stopped by an error';
    lines.push('', `${whom} at ${new Date(pause.since).toISOString()}: ${pause.reason}`);
    lines.push('', 'Send the update `resume` to go on.');
  }
  if (note !== undefined) lines.push('', note);
  if (feed !== undefined) lines.push(...formatFeed(feed));
  lines.push('', '| | |', '|---|---:|', `| turns | ${turns} |`);
  for (const [name, count] of Object.entries(totals)) lines.push(`| ${name} | ${count} |`);
  lines.push('', LAST_LINE);
  return lines.join('\n');
}
