import type { Timestamp } from '../../namespace/entry.ts';
import type { Cause } from '../../schema/drift/cause.ts';
import { runText } from '../../schema/drift/current-runs.ts';
import { countsText, totalOf } from '../../schema/drift/drift-counts.ts';
import type { Alarm } from './alarm.ts';
import type { JudgeFacts, JudgesSight } from './judge-facts.ts';
import { pausedText } from './loop-pause.ts';

/** Names that nothing will make other than they are: that they are found again is no news. */
const LASTING: readonly string[] = ['unrepresentable-name', 'unstorable-name'] satisfies readonly Cause[];

/** Every alarm of a judge, with what to do. */
export function runAlarms(sight: JudgesSight, head: JudgeFacts): readonly Alarm[] {
  const found = [
    overdue(sight, head),
    waiting(head),
    stuck(sight, head),
    failed(head),
    drift(sight, head),
    again(head),
  ];
  return found.filter((alarm) => alarm !== undefined);
}

function overdue(sight: JudgesSight, head: JudgeFacts): Alarm | undefined {
  const { about, everyMs, waitedSince: since, lastGood, underWay } = head;
  if (everyMs === undefined || since === undefined || sight.now - since <= 2 * everyMs) return undefined;
  const was = lastGood === undefined ? 'nothing was ever judged' : `nothing newer than ${timeOf(since)} was judged`;
  const due = `${was} by ${nameOf(head)}, though that is due every ${hours(everyMs)} h`;
  const [waits] = head.waiting;
  const run =
    underWay !== undefined
      ? `${runText(underWay)} is under way`
      : waits !== undefined
        ? `${runText(waits)} waits for approval`
        : whyNot(sight, head);
  const paused = head.judge === 'sink' ? undefined : sight.pauses.inventory;
  const why = paused === undefined ? run : `${run}; ${pausedText('inventory', paused)}`;
  return { source: about, kind: 'overdue', since, message: `${due}: ${why}` };
}

function nameOf({ judge, sink }: JudgeFacts): string {
  return judge === 'inventory' ? 'an inventory report' : judge === 'listing' ? 'a listing' : `a walk of sink ${sink}`;
}

/** Why the newest good judgement is as old as it is, as far as that is known. */
function whyNot({ noReport, unusable }: JudgesSight, { judge, last, lastGood }: JudgeFacts): string {
  const known = last !== undefined && last.startedAt > (lastGood ?? 0);
  const rejected = known && last.outcome === 'rejected' ? `the newest report was rejected (${last.reason})` : undefined;
  const gaveUp = known && last.outcome === 'failed' ? `the last run failed (${last.reason})` : undefined;
  if (judge !== 'inventory') return `${gaveUp ?? 'look whether its schedule runs, in Temporal'}`;
  const why = rejected ?? unusable ?? noReport ?? gaveUp ?? 'no report came';
  return `${why}: look whether the inventory rule of the account still runs, or judge by \`isthmus reconcile run --judge listing\``;
}

function waiting({ about, waiting: [first, ...others] }: JudgeFacts): Alarm | undefined {
  const since = first?.waitingSince;
  if (first === undefined || since === undefined) return undefined;
  const { id } = first;
  const more = others.length === 0 ? '' : `, and so does ${others.map(runText).join(', ')}`;
  const message =
    `${runText(first)} would delete more than it may without being asked, and waits since ${timeOf(since)}: ` +
    `\`isthmus reconcile plan ${id}\` shows what, \`isthmus reconcile approve ${id}\` or \`isthmus reconcile reject ${id}\` decides${more}`;
  return { source: about, kind: 'waiting-approval', since, message };
}

function stuck({ now, pauses }: JudgesSight, { about, judge, underWay, stallLimitMs }: JudgeFacts): Alarm | undefined {
  // Why is known then, and told.
  if (underWay === undefined || underWay.trouble !== undefined) return undefined;
  const { movedAt, phase } = underWay;
  if (now - movedAt <= stallLimitMs) return undefined;
  const paused = judge === 'sink' ? undefined : pauses.inventory;
  const why =
    paused === undefined
      ? "look at its workflow in Temporal's UI, and whether a worker runs"
      : pausedText('inventory', paused);
  const where = phase === undefined ? '' : ` (phase ${phase})`;
  const message = `${runText(underWay)} has done no step since ${timeOf(movedAt)}${where}: ${why}`;
  return { source: about, kind: 'stuck', since: movedAt, message };
}

function failed({ about, last, underWay, failed: is }: JudgeFacts): Alarm | undefined {
  if (!is) return undefined;
  if (underWay?.trouble !== undefined) {
    const { movedAt, trouble } = underWay;
    const message = `${runText(underWay)} does not get on since ${timeOf(movedAt)}, as its last attempt failed: ${trouble}`;
    return { source: about, kind: 'failed', since: movedAt, message };
  }
  if (last === undefined) return undefined;
  const what = last.outcome === 'guarded' ? 'has mended nothing' : 'failed';
  const again = last.judge === 'sink' ? `isthmus reconcile sink ${last.sink}` : 'isthmus reconcile';
  const message = `${runText(last)} ${what}: ${last.reason ?? 'no reason was given'}; \`${again}\` asks for another`;
  return { source: about, kind: 'failed', since: last.endedAt, message };
}

function drift({ driftLimit }: JudgesSight, { about, current, drift: byCause }: JudgeFacts): Alarm | undefined {
  const total = totalOf(byCause);
  const [newest] = current;
  if (newest === undefined || total <= driftLimit) return undefined;
  const message =
    `${runText(newest)} found drift of ${total} names (${countsText(byCause)}), more than the ${driftLimit} that may be: ` +
    '`isthmus drift` shows what, and why';
  return { source: about, kind: 'drift', since: newest.endedAt ?? newest.waitingSince, message };
}

function again({ about, current, repeated }: JudgeFacts): Alarm | undefined {
  const lasting = Object.entries(repeated).filter(([cause]) => !LASTING.includes(cause));
  const [newest] = current;
  if (newest === undefined || lasting.length === 0) return undefined;
  const message =
    `three runs in a row found the same drift (${countsText(Object.fromEntries(lasting))}): ` +
    '`isthmus drift --repeated` shows it';
  return { source: about, kind: 'repeated', since: newest.endedAt ?? newest.waitingSince, message };
}

function hours(ms: number): number {
  return Number((ms / 3_600_000).toPrecision(3));
}

function timeOf(time: Timestamp): string {
  return new Date(time).toISOString();
}
