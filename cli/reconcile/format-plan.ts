import { counted } from '../../schema/counted.ts';
import type { ReconcilePlanOutput } from '../../schema/outputs/reconcile-plan.ts';
import { formatTable } from '../format.ts';
import { printable } from '../terminal.ts';
import { decisionText } from './decision-text.ts';

/** A plan for people: what it is about, why it waits, what it does by prefix, and how to decide. */
export function formatPlan(plan: ReconcilePlanOutput): readonly string[] {
  const { runId, judge, scope, waitingSince, tripped, live, created, updated, deleted } = plan;
  const of = scope === '' ? 'everything' : scope;
  const waits = waitingSince !== null;
  const lines = [
    `run ${runId}, judged by ${judge === 'inventory' ? 'an inventory' : 'a listing'} of ${of}: ${standing(plan)}`,
    ...tripped.map((reason) => `  ${reason}`),
    ...partLines(`to be deleted, of ${counted(live, 'live name')}, where a look finds the blob gone`, deleted),
    ...partLines(`made${waits ? ' without asking' : ''}`, created),
    ...partLines(`corrected${waits ? ' without asking' : ''}`, updated),
  ];
  if (waits) {
    lines.push('', `\`isthmus reconcile approve ${runId}\` lets it delete.`);
    lines.push(`\`isthmus reconcile reject ${runId} --reason TEXT\` keeps all that it lacks.`);
  }
  return lines.map(printable);
}

function standing(plan: ReconcilePlanOutput): string {
  if (plan.waitingSince !== null) return `it waits for a decision since ${plan.waitingSince}`;
  const decided = decisionText(plan);
  return [...(decided === undefined ? [] : [decided]), plan.outcome ?? 'it has not ended yet'].join('; ');
}

function partLines(what: string, { names, prefixes, elsewhere }: ReconcilePlanOutput['deleted']): readonly string[] {
  const head = `${counted(names, 'name')} ${what}`;
  if (names === 0) return [];
  const rows = prefixes.map((each) => [`  ${each.names}`, printable(each.prefix), printable(each.examples.join('  '))]);
  if (elsewhere > 0) rows.push([`  ${elsewhere}`, 'elsewhere', '']);
  return ['', head, ...formatTable([['  names', 'below', 'for example'], ...rows]).split('\n')];
}
