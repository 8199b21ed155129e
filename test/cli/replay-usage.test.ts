import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { replayFeed } from '../../cli/commands/replay-feed.ts';
import { commandFor, wrongJob } from '../../cli/commands/replay-usage.ts';
import type { ReplayJob } from '../../schema/inputs/feed-jobs.ts';
import { recordingTerminal } from './recording-terminal.ts';

const NOW = Date.parse('2026-11-21T15:00:00Z');
const PAST = '2026-11-21T14:00:00.000Z';
const TO_COME = '2026-11-21T15:00:00.001Z';

describe('isthmus replay, typed wrongly', () => {
  it.each<[Omit<ReplayJob, 'federation'>, string]>([
    [{ recordsPerSecond: 0 }, '--rate is 0, but expected how many records a second at most, a number above 0.'],
    [{ prefix: '' }, '--prefix is "", but expected a plain prefix of CONTAINER/NAME.'],
    [{ from: '-000001-01-01T00:00:00.000Z' }, '--from is "-000001-01-01T00:00:00.000Z", but expected a time of ISO'],
    [
      { from: PAST, to: PAST },
      `--from is "${PAST}", which is not before --to, "${PAST}". Example: isthmus replay --from`,
    ],
    [{ from: TO_COME }, `--from is "${TO_COME}", which is yet to come: it is 2026-11-21T15:00:00.000Z.`],
  ])('as %j is told so of the option', (request, message) => {
    expect(wrongJob({ federation: 'lake', ...request }, NOW)).toContain(message);
  });

  it.each<Omit<ReplayJob, 'federation'>>([
    {},
    { from: PAST, to: '9999-01-01T00:00:00.000Z' },
    { from: '2026-11-21T15:00:00.000Z' },
  ])('is not as %j', (request) => {
    expect(wrongJob({ federation: 'lake', ...request }, NOW)).toBeUndefined();
  });

  it.each([
    [{ rate: 0 }, '--rate is 0'],
    [{ prefix: ' ' }, '--prefix is " "'],
    [
      { from: Date.UTC(2026, 0), to: Date.UTC(2026, 0) },
      '--from is "2026-01-01T00:00:00.000Z", which is not before --to',
    ],
    [{ from: Date.UTC(9999, 0) }, '--from is "9999-01-01T00:00:00.000Z", which is yet to come'],
  ])('as %j asks nobody', async (options, message) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'isthmus-cli-'));
    const config = path.join(folder, 'federation.yaml');
    const yaml =
      "name: lake\naccount: { name: contoso }\nsources: { changeFeed: {} }\nsinks: { gpu: { kind: fileView, root: . } }\nrules: [{ prefix: '', authority: blob, sink: gpu }]\n";
    await writeFile(config, yaml);
    const { signal } = new AbortController();
    const call = {
      env: { TEMPORAL_ADDRESS: '127.0.0.1:1' },
      terminal: recordingTerminal(),
      signal,
      json: false,
      config,
    };
    const error = await replayFeed(options, call).catch((thrown: unknown) => thrown);
    await rm(folder, { recursive: true });
    expect(error).toMatchObject({ code: 'ISTHMUS_USAGE', message: expect.stringContaining(message) });
    expect(String(error)).not.toMatch(/[{}]|recordsPerSecond|federation/);
  });
});

describe('the command that asks for the same replay', () => {
  it.each<[Omit<ReplayJob, 'federation'>, string | undefined, string]>([
    [{}, undefined, 'isthmus replay'],
    [{ from: PAST, recordsPerSecond: 5 }, 'a.yaml', `isthmus replay --config a.yaml --from ${PAST} --rate 5`],
    [{ prefix: "lake/it's $HOME" }, undefined, String.raw`isthmus replay --prefix 'lake/it'\''s $HOME'`],
  ])('of %j, with the file %s, is a line for a shell', (request, config, line) => {
    expect(commandFor({ federation: 'lake', ...request }, config)).toBe(line);
  });
});
