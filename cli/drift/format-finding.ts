import { formatKey } from '../../namespace/key.ts';
import type { DriftFinding } from '../../schema/outputs/drift.ts';
import { formatBytes } from '../format.ts';
import { printable } from '../terminal.ts';

type Evidence = DriftFinding['evidence'];

const DIFFERENCE: Readonly<Record<DriftFinding['difference'], string>> = {
  'not-listed': 'live in the index, and the judge did not list it',
  'not-indexed': 'listed, and not live in the index',
  'other-version': 'listed as another version than the index has',
  'other-attributes': 'the same version, with other attributes',
  sink: 'the sink is not as the index says',
};

const STATE: Readonly<Record<DriftFinding['state'], string>> = {
  looking: 'a look was asked for, and decides',
  repaired: 'repaired: it is now as the source is',
  held: 'held: its run waits for approval',
  refused: 'refused: its run was not approved',
  open: 'open: nothing that Isthmus does mends it',
  explained: 'explained: there was nothing to mend',
  undone: 'undone: it was repaired, and taken back',
};

/** One finding with its evidence, for people. */
export function formatFinding(finding: DriftFinding): readonly string[] {
  const { run, judge, difference, cause, meaning, state, streak, notedAt, settledAt, evidence } = finding;
  const times = streak > 1 ? `, as did the ${streak - 1} before it` : '';
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['found', `run ${run}${judge === null ? '' : ` (${judge})`} at ${notedAt}${times}: ${DIFFERENCE[difference]}`],
    ['cause', `${cause}: ${meaning}`],
    ['judge saw', difference === 'sink' ? undefined : versionText(evidence.judge, 'nothing')],
    ['index said', indexText(evidence)],
    ['sink had', evidence.sink && versionText(evidence.sink, 'something')],
    ['heard', heardText(evidence)],
    ['look said', lookText(evidence)],
    ['note', evidence.note],
    ['became', `${STATE[state]}${settledAt === null ? '' : `, at ${settledAt}`}`],
  ];
  return [
    printable(formatKey(finding)),
    ...rows.flatMap(([title, text]) => (text === undefined ? [] : [printable(`  ${title.padEnd(12)}${text}`)])),
  ];
}

function versionText(version: Evidence['judge'], nothing: string): string {
  if (version === undefined) return nothing;
  const { state, etag, length, lastModified, blobType, tier } = version;
  const parts = [
    state,
    length === undefined ? undefined : `${formatBytes(length)} (${length} bytes)`,
    etag,
    lastModified === undefined ? undefined : `modified ${lastModified}`,
    blobType,
    tier,
  ];
  return parts.filter((part) => part !== undefined).join(', ') || nothing;
}

function indexText({ index }: Evidence): string {
  if (index === undefined) return 'nothing';
  const { live, seen, source } = index;
  const what = live ? `live, ${versionText(index, 'no attributes')}` : 'a tombstone';
  return `${what}; told by ${source} of ${seen}`;
}

function heardText({ heard }: Evidence): string | undefined {
  if (heard === undefined) return undefined;
  const { trigger = 'never', feed = 'never' } = heard;
  return `triggers up to ${trigger}, the feed up to ${feed}`;
}

function lookText({ look }: Evidence): string | undefined {
  if (look === undefined) return undefined;
  const at = look.at === undefined ? '' : ` at ${look.at}`;
  return look.live ? `it is there${at}: ${versionText(look, 'no attributes')}` : `it is not there (404)${at}`;
}
