import { counted } from '../../schema/counted.ts';
import type { StatusOutput } from '../../schema/outputs/status.ts';
import { formatBytes, formatPolled, formatSeconds, formatTable } from '../format.ts';
import { printable } from '../terminal.ts';
import { judgeLines } from './judge-lines.ts';

/** A status for people: alarms first. */
export function formatStatus(status: StatusOutput): readonly string[] {
  const { index, sources, stubs, workflows, judges, violations, alarms, moving } = status;
  const lines = [`Federation ${status.federation}, account ${status.account}, ${status.at}`];
  for (const { about, message } of alarms) lines.push(printable(`ALARM  ${about}: ${message}`));
  if (violations.count > 0)
    lines.push(printable(`${counted(violations.count, 'violation')}, the last: ${violations.last}`));
  lines.push(status.settled ? 'Nothing is on its way.' : `On its way: ${moving.join('; ')}.`);
  const rows = sources.map(({ source, state, lagSeconds, applied, behind, reason }) => {
    // A hub does not tell when the oldest event that waits came.
    const about = source === 'event-hubs' && behind !== null ? 'about ' : '';
    const lag = lagSeconds === null ? '' : `lag ${about}${formatSeconds(lagSeconds)}`;
    return [
      `  ${source}`,
      state,
      applied === null ? 'nothing applied yet' : `applied to ${applied}`,
      lag,
      reason ?? '',
    ];
  });
  const table = formatTable(rows).split('\n');
  lines.push(
    '',
    'Sources',
    ...table.flatMap((line, at) => [
      line,
      ...deadLetterLines(sources[at]),
      ...hubLossLines(sources[at]),
      ...triggerLines(sources[at], sources),
      ...feedLines(sources[at]),
    ]),
  );
  lines.push(...openLetterLines(status));
  const states = Object.entries(index.byStub).filter(([, count]) => count > 0);
  lines.push(
    '',
    'Index',
    `  ${index.live} live (${formatBytes(index.bytes)}), ${counted(index.tombstones, 'tombstone')}`,
  );
  if (states.length > 0) lines.push(`  stubs: ${states.map(([state, count]) => `${state} ${count}`).join(', ')}`);
  for (const { sink, due, failing } of stubs) {
    lines.push(`  ${sink}: ${counted(due, 'stub')} behind${failing > 0 ? `, ${failing} of them failing` : ''}`);
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
  lines.push(...judgeLines(judges));
  return lines;
}

/** What waits for somebody, by where it came from and why. */
function openLetterLines({ deadLetters, deadLettersUncounted }: StatusOutput): readonly string[] {
  const rows = deadLetters.map(({ origin, reason, count, atLeast }) => [
    `  ${origin}`,
    `${atLeast ? 'at least ' : ''}${count}`,
    printable(reason),
  ]);
  if (deadLettersUncounted !== null) {
    rows.push(['  service-bus', 'not counted', printable(deadLettersUncounted)]);
  }
  if (rows.length === 0) return [];
  return ['', 'Dead letters, as `isthmus deadletter list` shows them', formatTable(rows)];
}

const HUB_LOSS: Readonly<Record<string, string>> = {
  'made-anew': 'the event hub was made anew under its name, and is read from its oldest event',
  removed: "the event hub's retention removed events before they were read",
};

/** What is gone unread is told for a day, though the feed or a listing brings it. */
function hubLossLines(source: StatusOutput['sources'][number] | undefined): readonly string[] {
  return (source?.hubLosses ?? []).map(
    ({ what, lastAt }) =>
      `    lost: ${HUB_LOSS[what] ?? what} (${lastAt}); the feed, or a listing, brings what was not read`,
  );
}

const TRANSPORT: Readonly<Record<string, string>> = { trigger: 'Service Bus', 'event-hubs': 'Event Hubs' };

/**
 * How late a transport's triggers came, and whether the canary's came. How often one told first is the same for all of
 * them, and said once.
 */
function triggerLines(
  source: StatusOutput['sources'][number] | undefined,
  sources: StatusOutput['sources'],
): readonly string[] {
  const triggers = source?.triggers;
  if (triggers === undefined || triggers === null) return [];
  const transports = sources.filter((each) => each.triggers !== null);
  const { received, late, medianLatenessSeconds, firstByTrigger, firstByFeed, wonByTrigger } = triggers.lastHour;
  const half = medianLatenessSeconds === null ? '' : `, half of them within ${formatSeconds(medianLatenessSeconds)}`;
  const tooLate = late === 0 ? '' : `, ${late} later than ${formatSeconds(triggers.lateLimitSeconds)}`;
  const lines = [
    `    last hour by ${TRANSPORT[source?.source ?? '']}: ${counted(received, 'trigger')}${half}${tooLate}`,
  ];
  if (wonByTrigger !== null && source === transports[0]) {
    const share = Math.floor(wonByTrigger * 100);
    const any = transports.length > 1 ? ' of either transport' : '';
    lines.push(`    told first: ${firstByTrigger} by a trigger${any} (${share} %), ${firstByFeed} by the feed`);
  }
  if (triggers.canary !== null) lines.push(printable(`    canary: ${canaryText(triggers.canary)}`));
  return lines;
}

function canaryText({
  name,
  writtenAt,
  waitingSince,
  error,
}: NonNullable<NonNullable<StatusOutput['sources'][number]['triggers']>['canary']>): string {
  if (writtenAt === null) return `${name} was not written yet`;
  if (error !== null) return `${name} could not be written at ${writtenAt}: ${error}`;
  const answer = waitingSince === null ? 'its trigger came' : `its trigger is waited for since ${waitingSince}`;
  return `${name} was written at ${writtenAt}, ${answer}`;
}

/** Where the feed's reader is, and what is wrong with the feed. */
function feedLines(source: StatusOutput['sources'][number] | undefined): readonly string[] {
  const feed = source?.feed;
  if (feed === undefined || feed === null) return [];
  const { segment, caughtUp, polledAt, recordsPerSecond, why, gaps, openGaps, skippedBlocks } = feed;
  const pace = recordsPerSecond === null ? '' : `, ${Math.round(recordsPerSecond)} records/s`;
  const polled = formatPolled(polledAt, segment, source?.state ?? 'unheard');
  const place = segment === null ? 'no segment read yet' : `${segment}${caughtUp === true ? ', at its end' : ''}`;
  const lines = [`    ${place}, ${polled}${pace}`];
  if (why !== null) lines.push(`    no feed: ${WHY_NO_FEED[why] ?? why}`);
  for (const { missing, notedAt, requestedAt } of gaps) {
    const healing = requestedAt === null ? 'no reconcile asked for yet' : `reconcile asked for at ${requestedAt}`;
    lines.push(`    gap: ${printable(missing)} was gone at ${notedAt}; ${healing}`);
  }
  if (openGaps > gaps.length) lines.push(`    and ${openGaps - gaps.length} more gaps`);
  if (skippedBlocks > 0) lines.push(`    skipped: ${counted(skippedBlocks, 'bad block')}`);
  return lines;
}

const WHY_NO_FEED: Readonly<Record<string, string>> = {
  'not-enabled': 'the change feed of the account is not enabled',
  hierarchical: 'the account has a hierarchical namespace, whose changes no feed tells',
  forbidden: 'the account refuses the reader: it needs Storage Blob Data Reader',
  missing: 'its container is gone',
  disabled: 'it was switched off after it had worked',
};

function deadLetterLines(source: StatusOutput['sources'][number] | undefined): readonly string[] {
  const letters = source?.deadLetters;
  if (letters === undefined || letters === null || letters.count === 0) return [];
  const { count, byOrigin, lastReason, lastAt } = letters;
  const origins = byOrigin.map((each) => `${each.origin} ${each.count}`).join(', ');
  return [`    dead-lettered: ${count} (${origins}), the last at ${lastAt}: ${printable(lastReason ?? '')}`];
}
