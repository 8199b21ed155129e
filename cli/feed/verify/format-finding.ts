import { counted } from '../../../schema/counted.ts';
import type { FeedVerifyFinding, FeedVerifyOutput } from '../../../schema/outputs/feed-verify.ts';
import { printable } from '../../terminal.ts';
import { noteLine, placeLine } from '../tell-broken.ts';
import type { Told } from './finding.ts';

export function findingOutput(finding: Told): FeedVerifyFinding {
  switch (finding.kind) {
    case 'broken':
    case 'skipped': {
      const { kind, path, offset, until = null, why } = finding;
      return { kind, path, offset, until, why };
    }
    case 'note':
    case 'unreached':
      return { ...finding };
    case 'disorder':
    case 'difference': {
      const { chunk: path, offset, index, what: why } = finding;
      const at = { path, offset, index };
      if (finding.kind === 'disorder') return { kind: finding.kind, ...at, why };
      return { kind: finding.kind, ...at, container: finding.key.container, name: finding.key.name, why };
    }
  }
}

export function findingLine(finding: Told): string {
  if (finding.kind === 'broken') return placeLine('BROKEN', finding);
  if (finding.kind === 'skipped') return placeLine('SKIPPED', finding);
  if (finding.kind === 'note') return noteLine(finding);
  if (finding.kind === 'unreached') return printable(`UNREACHED  ${finding.path}: no readable manifest names it`);
  const at = `${finding.chunk} at byte ${finding.offset}, record ${finding.index}`;
  if (finding.kind === 'disorder') return printable(`DISORDER  ${at}: ${finding.what}`);
  return printable(`DIFFER  ${finding.key.container}/${finding.key.name}: ${finding.what}; ${at}`);
}

export function summaryLines(output: FeedVerifyOutput): readonly string[] {
  const { segments, shards, chunks, records, notYet, findings, skipped, notes, index } = output;
  const left = notYet === 0 ? '' : `; ${counted(notYet, 'segment')} after lastConsumable left alone`;
  const sizes = [counted(segments, 'segment'), counted(shards, 'shard'), counted(chunks, 'chunk')];
  const lines = [`${counted(records, 'record')} in ${sizes.join(', ')}${left}`];
  if (index !== null) {
    const { keys, agree, differ, looksDue, past, notTaken } = index;
    lines.push(
      `${keys} keys compared: ${agree} agree, ${differ} differ, ${looksDue} wait for a look, ${past} are of the past`,
    );
    if (notTaken > 0) lines.push(`${notTaken} records stand after the cursor and were not compared.`);
  }
  if (skipped > 0) lines.push(`${counted(skipped, 'place')} left out by \`isthmus feed skip\` before: no findings.`);
  if (notes > 0) lines.push(`${counted(notes, 'note')}: ${notes === 1 ? 'no finding' : 'no findings'}.`);
  lines.push(findings === 0 ? 'Nothing is wrong.' : `${counted(findings, 'finding')}.`);
  return lines;
}
