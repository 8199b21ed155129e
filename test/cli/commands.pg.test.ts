import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Call } from '../../cli/call.ts';
import { digest } from '../../cli/commands/digest.ts';
import { explain } from '../../cli/commands/explain.ts';
import { ls } from '../../cli/commands/ls.ts';
import { triggersTrust } from '../../cli/commands/triggers-trust.ts';
import { compileRules } from '../../namespace/authority.ts';
import type { BlobEvent } from '../../namespace/change.ts';
import { DEFAULT_MARGIN } from '../../namespace/decision.ts';
import type { Rule } from '../../namespace/rule.ts';
import { parseSequencer } from '../../namespace/sequencer.ts';
import { ensureAccount } from '../../schema/index/accounts.ts';
import { applyEvents } from '../../schema/index/apply-events.ts';
import { publishRules } from '../../schema/index/authority-revisions.ts';
import { transact } from '../../schema/index/transact.ts';
import {
  distrustTriggers,
  readTriggerTrust,
  recordMismatches,
  settleReread,
} from '../../schema/index/trigger-trust.ts';
import { digestOutput } from '../../schema/outputs/digest.ts';
import { explainOutput } from '../../schema/outputs/explain.ts';
import { lsEntry } from '../../schema/outputs/ls.ts';
import { triggersTrustOutput } from '../../schema/outputs/triggers-trust.ts';
import { type TestIndex, testIndex } from '../support/postgres.ts';
import { type RecordingTerminal, recordingTerminal } from './recording-terminal.ts';

const RULES: readonly Rule[] = [
  { prefix: '', authority: 'blob', sink: 'gpu' },
  { prefix: 'lake/out/', authority: 'vast', sink: 'gpu' },
];
const NAMES = ['b', 'a/2', 'a/10', 'naïve', '\u001b[31mred', 'Z'];
const TIME = Date.UTC(2026, 10, 21);

let db: TestIndex;
let folder: string;

function event(name: string, at: number, effect: 'put' | 'delete' = 'put'): BlobEvent {
  return {
    ...{ kind: 'event', source: 'trigger', effect, container: 'lake', name, epoch: undefined, api: 'PutBlob' },
    attributes: effect === 'put' ? { etag: `0x${at}`, length: 10 + at } : undefined,
    sequencer: parseSequencer(at.toString(16)),
    time: TIME + at,
    eventId: `event-${at}`,
  };
}

beforeAll(async () => {
  db = await testIndex();
  folder = await mkdtemp(path.join(tmpdir(), 'isthmus-cli-'));
  await writeFile(
    path.join(folder, 'federation.yaml'),
    "name: lake\naccount: { name: contoso }\nsinks: { gpu: { kind: fileView, root: . } }\nrules: [{ prefix: '', authority: blob, sink: gpu }]\n",
  );
  const account = await ensureAccount(db.index, 'contoso');
  const { revision } = await publishRules(db.index, account.id, RULES, 'a test');
  const rules = compileRules({ revision, rules: RULES });
  const events = [...NAMES.map((name, at) => event(name, at + 1)), event('gone', 20), event('gone', 21, 'delete')];
  const policy = { margin: DEFAULT_MARGIN, looks: true };
  await transact(db.index, (tx) => applyEvents(tx, { account, rules, ruleRevision: revision, policy, events }));
});
afterAll(async () => {
  await db[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

function call(json: boolean): Call & { readonly terminal: RecordingTerminal } {
  const config = path.join(folder, 'federation.yaml');
  return {
    env: { DATABASE_URL: db.url },
    terminal: recordingTerminal(),
    signal: new AbortController().signal,
    json,
    config,
  };
}

describe('isthmus ls', () => {
  it('prints one JSON object a line, in key order, by its published schema', async () => {
    const asked = call(true);
    expect(await ls('', Number.POSITIVE_INFINITY, asked)).toBe(0);
    const entries = asked.terminal.printed.map((line) => lsEntry.parse(JSON.parse(line)));
    expect(entries.map(({ name }) => name)).toEqual(['\u001b[31mred', 'Z', 'a/10', 'a/2', 'b', 'naïve']);
    expect(entries[2]).toMatchObject({
      container: 'lake',
      bytes: 13,
      etag: '0x3',
      authority: 'blob',
      sink: 'gpu',
      stubDue: true,
    });
  });

  it('takes a plain prefix, and a limit that it tells of', async () => {
    const asked = call(false);
    await ls('lake/a/', 1, asked);
    expect(asked.terminal.printed).toHaveLength(1);
    expect(asked.terminal.printed[0]).toContain('lake/a/10');
    expect(asked.terminal.said).toEqual(['The first 1; --limit shows more.']);
  });

  it('shows no control characters to people', async () => {
    const asked = call(false);
    await ls('', Number.POSITIVE_INFINITY, asked);
    expect(asked.terminal.printed.join('\n')).not.toContain('\u001b');
  });
});

describe('isthmus explain', () => {
  const explained = async (key: string) => {
    const asked = call(true);
    const code = await explain(key, asked);
    return { code, output: explainOutput.parse(JSON.parse(asked.terminal.printed.join(''))) };
  };

  it('10: tells which change, from which source, under which rule revision, and when', async () => {
    const { code, output } = await explained('lake/a/2');
    expect(code).toBe(0);
    expect(output).toMatchObject({
      live: true,
      attributes: { etag: '0x2', bytes: 12 },
      change: { source: 'trigger', eventId: 'event-2', time: new Date(TIME + 2).toISOString(), ruleRevision: 1 },
      clock: { sequencer: '2'.padStart(48, '0'), revision: 1 },
      rule: { prefix: '', authority: 'blob', sink: 'gpu', revision: 1 },
      stub: { due: true, path: 'lake/a/2' },
    });
  });

  it('10: knows a tombstone, and what is under the other authority', async () => {
    expect((await explained('lake/gone')).output).toMatchObject({ known: true, live: false, attributes: null });
    expect((await explained('lake/out/x')).output).toMatchObject({ known: false, rule: { authority: 'vast' } });
  });

  it('of a key that nobody told of is no', async () => {
    expect((await explained('lake/never')).code).toBe(1);
  });

  it('of something that names no blob is wrong use', async () => {
    await expect(explain('lake', call(true))).rejects.toMatchObject({ code: 'ISTHMUS_USAGE' });
  });

  it('for people shows every part', async () => {
    const asked = call(false);
    await explain('lake/a/2', asked);
    const text = asked.terminal.printed.join('\n');
    for (const part of ['lake/a/2: live', 'trigger event-2', "'' (blob, sink gpu, revision 1)"])
      expect(text).toContain(part);
  });
});

describe('isthmus digest', () => {
  it('prints entries, bytes and SHA-256, by its published schema', async () => {
    const asked = call(false);
    await digest('lake/a/', asked);
    const output = digestOutput.parse(JSON.parse(asked.terminal.printed.join('')));
    expect(output).toMatchObject({ entries: 2, bytes: 12 + 13 });
  });
});

describe('isthmus triggers trust', () => {
  it('says what it did, by its published schema, and does nothing while the feed is to be read again', async () => {
    const account = await ensureAccount(db.index, 'contoso');
    const ask = async (json: boolean) => {
      const asked = call(json);
      const code = await triggersTrust({ reason: 'a test' }, asked);
      return { code, printed: asked.terminal.printed[0] ?? '' };
    };
    const already = await ask(true);
    expect(triggersTrustOutput.parse(JSON.parse(already.printed))).toEqual({ outcome: 'trusted-already' });
    const mismatches = { mismatched: 1, mismatches: [] };
    await transact(db.index, (tx) => recordMismatches(tx, account.id, mismatches));
    await distrustTriggers(db.index, account.id);
    expect(await ask(false)).toMatchObject({ code: 1, printed: expect.stringContaining('has not been set back') });
    await transact(db.index, (tx) => settleReread(tx, account.id));
    expect(await ask(false)).toMatchObject({ code: 0, printed: expect.stringContaining('applied again') });
    expect(await readTriggerTrust(db.index.db, account.id)).toMatchObject({ mismatched: 0, distrustedAt: undefined });
  });
});
