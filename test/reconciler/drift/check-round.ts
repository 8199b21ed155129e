import { compileRules } from '../../../namespace/authority.ts';
import type { Attributes } from '../../../namespace/entry.ts';
import { formatKey } from '../../../namespace/key.ts';
import { liveRules } from '../../../schema/index/authority-revisions.ts';
import { type Finding, readFindings } from '../../../schema/index/findings.ts';
import { readRun } from '../../../schema/index/runs.ts';
import { isStorableKey, storableText } from '../../../schema/index/storable.ts';
import { type Played, RoundFailed } from './played.ts';

/** Every planted finding is found with its cause and its end, and nothing is reported that was not there. */
export async function checkFindings(played: Played, runId: number): Promise<void> {
  const run = await readRun(played.world.index.db, runId);
  if (run?.outcome !== 'complete') fail(played, `the run ended ${run?.outcome}: ${run?.reason}`);
  const found = await findingsOf(played, runId);
  for (const [key, expected] of played.expected) {
    const [finding, ...more] = found.get(storableText(key)) ?? [];
    found.delete(storableText(key));
    if (played.raced.has(key)) continue;
    if (finding === undefined) fail(played, `${expected.cause} was not found`, key);
    if (more.length > 0) fail(played, `${expected.cause} was found ${more.length + 1} times`, key);
    const { difference, cause, state, evidence } = finding;
    if (difference === expected.difference && cause === expected.cause && state === expected.state) continue;
    const say = (of: typeof expected) => `${of.difference}, ${of.cause}, ${of.state}`;
    fail(played, `found ${say({ difference, cause, state })} for ${say(expected)}: ${JSON.stringify(evidence)}`, key);
  }
  for (const [key, [finding]] of found) {
    if (finding === undefined || (played.raced.has(key) && mayBeSaid(played, key, finding))) continue;
    const { difference, cause, state, evidence } = finding;
    const how = played.raced.has(key) ? 'of a name that changed meanwhile' : 'that was not there';
    fail(played, `reported ${difference}, ${cause}, ${state} ${how}: ${JSON.stringify(evidence)}`, key);
  }
}

/** Of what nobody had been told of when the judge ended it cannot be known that it was merely late. */
function mayBeSaid(played: Played, key: string, { cause }: Finding): boolean {
  return cause === 'changed-since' || (cause === 'missed-by-triggers' && played.toldLate.has(key));
}

/** A judge that is asked once more finds nothing new: only what nobody can mend is told again. */
export async function checkQuiet(played: Played, runId: number): Promise<void> {
  for (const [key, [finding]] of await findingsOf(played, runId)) {
    if (finding === undefined || finding.cause === 'unstorable-name') continue;
    const { difference, cause, evidence } = finding;
    fail(played, `the second run reported ${difference}, ${cause}: ${JSON.stringify(evidence)}`, key);
  }
}

async function findingsOf(played: Played, runId: number): Promise<Map<string, Finding[]>> {
  const found = new Map<string, Finding[]>();
  for (const finding of await readFindings(played.world.index.db, runId, { limit: 10_000 })) {
    const key = formatKey(finding);
    found.set(key, [...(found.get(key) ?? []), finding]);
  }
  return found;
}

/** The index is as the account, as `isthmus verify` compares them; of what was planted, in every attribute. */
export async function checkAgrees(played: Played): Promise<void> {
  const { world } = played;
  const { account } = world.judging;
  const rules = await liveRules(world.index.db, account.id);
  const match = compileRules(rules ?? { revision: 0, rules: [] });
  const indexed = new Map((await world.live()).map((entry) => [formatKey(entry), entry.attributes]));
  for (const [container, blobs] of world.blobs.containers) {
    if (container === 'inventory') continue;
    for (const [name, { attributes }] of blobs) {
      const key = formatKey({ container, name });
      if (match.match({ container, name })?.authority !== 'blob' || !isStorableKey({ container, name })) continue;
      const known = indexed.get(key);
      indexed.delete(key);
      if (known === undefined) fail(played, 'the index does not have it', key);
      if (version(known) === version(attributes) && sameOfPlanted(played, key, known, attributes)) continue;
      fail(played, `the index has ${JSON.stringify(known)}, the account ${JSON.stringify(attributes)}`, key);
    }
  }
  const [key] = indexed.keys();
  if (key !== undefined) fail(played, 'the account does not have it', key);
  const { rows } = await world.index.pool.query('select from looks where account_id = $1', [account.id]);
  if (rows.length > 0) fail(played, `${rows.length} looks are left`);
}

/** What was planted on more than the version must be mended too. */
function sameOfPlanted({ expected }: Played, key: string, known: Attributes, truth: Attributes): boolean {
  const metadata = (of: Attributes) => JSON.stringify(Object.entries(of.metadata ?? {}).toSorted());
  switch (expected.get(key)?.cause) {
    case 'tier-moved':
      return known.tier === truth.tier;
    case 'metadata-unknown':
      return metadata(known) === metadata(truth);
    default:
      return true;
  }
}

function version({ etag, length }: Attributes): string {
  return `${etag} ${length}`;
}

function fail(played: Played, what: string, key?: string): never {
  const { seed, judge, feed, listedFirst } = played;
  const where = `${judge}, feed ${feed}${listedFirst ? ', listed first' : ''}`;
  throw new RoundFailed(`SEED=${seed} (${where}): ${key === undefined ? '' : `${JSON.stringify(key)}: `}${what}`);
}
