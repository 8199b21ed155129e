import type { ReconcilePlan, ReconcileProgress } from '../schema/inputs/reconcile.ts';

/** A place that a run was seen at. */
export interface Seen {
  readonly at: number;
  readonly progress: ReconcileProgress;
}

/**
 * How far a run is, in a line: phase, rows, rate and time left, as far as they can be told.
 *
 * @param first of the same phase.
 */
export function reachedText({ progress: { phase, done, of, unit }, at }: Seen, first: Seen): string {
  const seconds = (at - first.at) / 1000;
  const rate = seconds <= 0 ? 0 : (done - first.progress.done) / seconds;
  const parts = [phase, of === undefined ? `${grouped(done)} ${unit}` : `${grouped(done)} of ${grouped(of)} ${unit}`];
  if (rate > 0) parts.push(`${grouped(Math.round(rate))} ${unit}/s`);
  if (rate > 0 && of !== undefined) parts.push(`about ${duration((of - done) / rate)} left`);
  return parts.join(', ');
}

/** A run under way, in Markdown: what it judges and what it has found so far, by cause. */
export function formatRun(runId: number, judge: string, causes: Readonly<Record<string, number>>): string {
  const rows = Object.entries(causes).map(([cause, count]) => `| ${cause} | ${grouped(count)} |`);
  const about = `Run ${runId}, judged by ${judge}.`;
  return rows.length === 0 ? about : [about, '', '| found so far | |', '|---|---:|', ...rows].join('\n');
}

/** What runs that wait would delete, in Markdown, and how to decide. The first is shown whole. */
export function formatPlans(plans: readonly ReconcilePlan[]): string {
  const [first, ...others] = plans;
  if (first === undefined) return '';
  const more = others.map(({ runId, deletes }) => `Run ${runId} waits as well, to delete ${grouped(deletes)} names.`);
  return [...formatPlan(first), ...more.flatMap((line) => ['', line])].join('\n');
}

function formatPlan(plan: ReconcilePlan): readonly string[] {
  const { runId, scope, judge, deletes, live, creates, updates, elsewhere } = plan;
  const what = scope === '' ? 'everything' : code(scope);
  const since = plan.waitingSince === undefined ? '' : ` since ${new Date(plan.waitingSince).toISOString()}`;
  const rows = plan.prefixes.map(
    ({ prefix, names, examples }) => `| ${grouped(names)} | ${code(prefix)} | ${examples.map(code).join(', ')} |`,
  );
  const rest = elsewhere === 0 ? [] : [`| ${grouped(elsewhere)} | elsewhere | |`];
  return [
    `#### Run ${runId} waits for a decision${since}`,
    '',
    `A ${judge} of ${what} lacks names, and the percent stop has tripped:`,
    '',
    ...plan.tripped.map((reason) => `- ${escaped(reason)}`),
    '',
    `It would delete **${grouped(deletes)}** of ${grouped(live)} live names; ${grouped(creates)} made and ${grouped(updates)} corrected need no approval.`,
    '',
    '| names | below | for example |',
    '|---:|---|---|',
    ...rows,
    ...rest,
    '',
    'Approved, each is looked at and deleted only where its blob is gone. Rejected, none is.',
    '',
    `\`isthmus reconcile approve ${runId}\` or \`isthmus reconcile reject ${runId} --reason TEXT\`, or the update \`decide\`:`,
    '',
    `\`{"run": ${runId}, "decision": "approved", "who": "YOUR NAME"}\``,
  ];
}

/** A name as code, on one line of a table, whatever is in it. */
export function code(name: string): string {
  // A table ends its cell at a bar, whatever stands around it, and takes what escapes it in more than one way.
  const inside = shown(name).replaceAll('|', '\\u007c');
  // A run of backticks is closed by one of its length alone; HTML tags would lay it out anew.
  const fence = '`'.repeat(Math.max(0, ...[...inside.matchAll(/`+/g)].map(([run]) => run.length)) + 1);
  const pad = inside.startsWith('`') || inside.endsWith('`') || inside === '' ? ' ' : '';
  return `${fence}${pad}${inside}${pad}${fence}`;
}

/** Words that may hold names, as text. */
function escaped(text: string): string {
  return shown(text).replace(/[\\`*_{}[\]<>#|~!&]/g, (sign) => `\\${sign}`);
}

/** Control characters and line ends as `printable` of the CLI has them. */
function shown(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}
