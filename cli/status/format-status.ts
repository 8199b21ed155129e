import type { StatusOutput } from '../../schema/outputs/status.ts';
import { formatBytes, formatSeconds, formatTable } from '../format.ts';
import { printable } from '../terminal.ts';

/** A status for people: alarms first. */
export function formatStatus(status: StatusOutput): readonly string[] {
  const { index, sources, stubs, workflows, lastReconcile, violations, alarms, moving } = status;
  const lines = [`Federation ${status.federation}, account ${status.account}, ${status.at}`];
  for (const { about, message } of alarms) lines.push(`ALARM  ${about}: ${message}`);
  if (violations.count > 0) lines.push(printable(`${violations.count} violations, the last: ${violations.last}`));
  lines.push(status.settled ? 'Nothing is on its way.' : `On its way: ${moving.join('; ')}.`);
  const rows = sources.map(({ source, state, lagSeconds, applied, reason }) => {
    const lag = lagSeconds === null ? '' : `lag ${formatSeconds(lagSeconds)}`;
    return [
      `  ${source}`,
      state,
      applied === null ? 'nothing applied yet' : `applied to ${applied}`,
      lag,
      reason ?? '',
    ];
  });
  const table = formatTable(rows).split('\n');
  lines.push('', 'Sources', ...table.flatMap((line, at) => [line, ...deadLetterLines(sources[at])]));
  const states = Object.entries(index.byStub).filter(([, count]) => count > 0);
  lines.push('', 'Index', `  ${index.live} live (${formatBytes(index.bytes)}), ${index.tombstones} tombstones`);
  if (states.length > 0) lines.push(`  stubs: ${states.map(([state, count]) => `${state} ${count}`).join(', ')}`);
  for (const { sink, due, failing } of stubs) {
    lines.push(`  ${sink}: ${due} stubs behind${failing > 0 ? `, ${failing} of them failing` : ''}`);
  }
  lines.push('', 'Workflows');
  if (workflows === null) lines.push('  Temporal does not answer.');
  else {
    lines.push(
      formatTable(
        workflows.map(({ source, running, state, doing, reason, id }) => {
          const why = reason === null ? (doing ?? '') : reason;
          return [`  ${source}`, running ? state : 'not running', id, why];
        }),
      ),
    );
  }
  lines.push('', 'Last reconcile');
  if (lastReconcile === null) lines.push('  none yet');
  else {
    const { id, judge, outcome, reason, startedAt } = lastReconcile;
    lines.push(
      `  run ${id} by ${judge}, ${outcome ?? 'running'}, started ${startedAt}${reason === null ? '' : `: ${reason}`}`,
    );
  }
  return lines;
}

function deadLetterLines(source: StatusOutput['sources'][number] | undefined): readonly string[] {
  const letters = source?.deadLetters;
  if (letters === undefined || letters === null || letters.count === 0) return [];
  const { count, lastReason, lastAt } = letters;
  return [`    dead-lettered: ${count}, the last at ${lastAt}: ${printable(lastReason ?? '')}`];
}
