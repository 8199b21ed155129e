import type { ExplainOutput } from '../../schema/outputs/explain.ts';
import { formatBytes, formatTable } from '../format.ts';
import { printable } from '../terminal.ts';
import { explainLook } from './explain-look.ts';

/** An explanation for people: what it is, what put it there, by which rule, and what stands in the sink. */
export function formatExplanation(explained: ExplainOutput): readonly string[] {
  const { known, live, attributes, clock, change, lookDue, rule, stub } = explained;
  const key = printable(`${explained.container}/${explained.name}`);
  if (!known) {
    const why = rule === null ? 'no rule covers it, so it is not federated' : `rule '${rule.prefix}' covers it`;
    return [`${key}: the index has never heard of it; ${why}.`];
  }
  const rows: string[][] = [];
  const row = (what: string, value: string | number | null | undefined) => {
    if (value !== null && value !== undefined) rows.push([`  ${what}`, printable(String(value))]);
  };
  row('ETag', attributes?.etag);
  row('size', attributes === null ? null : `${attributes.bytes} bytes (${formatBytes(attributes.bytes)})`);
  row('type', attributes?.blobType);
  row('content type', attributes?.contentType);
  row('MD5', attributes?.md5);
  row('last modified', attributes?.lastModified);
  row('tier', attributes?.tier);
  row('metadata', attributes?.metadata === null || attributes === null ? null : JSON.stringify(attributes.metadata));
  if (change !== null) {
    const by = change.source === 'look' ? explainLook(change.eventId) : change.eventId;
    row('put there by', `${change.source} ${by}`);
    row('which happened', change.time);
    row('and was applied', change.appliedAt);
  }
  row('clock', clock === null ? null : `sequencer ${clock.sequencer ?? 'none'}, epoch ${clock.epoch ?? 'none'}`);
  row('looked at', clock?.look);
  row('revision', clock?.revision);
  const due = explainLook(lookDue?.reason ?? 'wanted');
  row('look due', lookDue === null ? null : [due, lookDue.error].filter(Boolean).join(': '));
  row('rule', ruleText(rule));
  if (stub !== null) {
    const behind = stub.due ? `, behind (shows revision ${stub.revision})` : '';
    row('stub', `${stub.state}${stub.sink === null ? '' : ` in ${stub.sink}`}${behind}`);
    row('path', stub.path ?? `none: ${stub.unrepresentable}`);
    row('because', stub.detail);
    if (stub.tries > 0) row('tries', stub.tries);
  }
  return [`${key}: ${live ? 'live' : 'gone'}`, ...formatTable(rows).split('\n')];
}

function ruleText(rule: ExplainOutput['rule']): string {
  if (rule === null) return 'none: not federated';
  const { prefix, authority, sink, revision } = rule;
  if (authority === 'isthmus') return `the canary that Isthmus itself writes: nobody's name (revision ${revision})`;
  return `'${prefix}' (${authority}, sink ${sink}, revision ${revision})`;
}
