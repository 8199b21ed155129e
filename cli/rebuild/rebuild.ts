import { systemClock } from '../../activities/open-services.ts';
import { counted } from '../../schema/counted.ts';
import { IsthmusError } from '../../schema/errors.ts';
import type { Federation } from '../../schema/federation/federation.ts';
import { openIndex } from '../../schema/index/database.ts';
import { countEntries } from '../../schema/index/queries.ts';
import { workflowIds } from '../../schema/inputs/names.ts';
import type { RebuildOutput } from '../../schema/outputs/rebuild.ts';
import type { Call } from '../call.ts';
import { indexUrl, readFederation } from '../environment.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type OpenAccount, openAccount } from '../open-account.ts';
import { askReconcile } from '../reconcile/ask.ts';
import { formatSummary } from '../reconcile/format-summary.ts';
import { connectTemporal, type TemporalClient } from '../temporal.ts';
import { printable } from '../terminal.ts';
import { takeOverSchedules } from '../worker/ensure-workflows.ts';
import { readIndexOf } from '../worker/schedule-owner.ts';
import { type EmptyIndex, emptyIndex, ownerOfWorkflows, type Refusal } from './empty-index.ts';
import { endJudges } from './end-judges.ts';
import { formatRebuilt } from './format-rebuilt.ts';
import { pinFeed, type Start } from './pin-feed.ts';
import { untilSettled } from './until-settled.ts';

export interface RebuildOptions {
  readonly discard: boolean;
  readonly takeOver: boolean;
}

/**
 * `isthmus rebuild`: exit 1 where it is refused, or the listing was not applied. What it has begun the workers finish
 * without it.
 */
export async function rebuild(options: RebuildOptions, call: Call): Promise<ExitCode> {
  const { terminal, signal } = call;
  const began = performance.now();
  const federation = await readFederation(call.config, call.env);
  await using temporal = await connectTemporal(call.env);
  const start = await pinFeed(federation, systemClock, signal);
  const emptied = await begin(federation, temporal, { ...options, start }, call);
  if ('says' in emptied) {
    terminal.say(printable(`${emptied.says}. ${emptied.mend}.`));
    return EXIT.no;
  }
  if (emptied.discarded > 0) terminal.say(`Forgot ${counted(emptied.discarded, 'name')}.`);
  try {
    return await finish(federation, temporal, { start, emptied, began }, call);
  } catch (error) {
    if (signal.aborted) {
      terminal.say('The rebuild goes on without this command: `isthmus status --wait` returns when it is done.');
    }
    throw error;
  }
}

async function begin(
  federation: Federation,
  { client }: TemporalClient,
  { discard, takeOver, start }: RebuildOptions & { readonly start: Start },
  call: Call,
): Promise<EmptyIndex | Refusal> {
  const index = openIndex(indexUrl(federation, call.env), {
    max: 4,
    applicationName: 'isthmus-cli',
    connectMs: 10_000,
  });
  try {
    const { other, sameFederation } = await ownerOfWorkflows(client, federation, index);
    if (other !== undefined && !sameFederation) return other;
    if (other !== undefined && !takeOver) {
      const mend = `Where this index takes the other's place: \`isthmus rebuild --take-over\`. Else name that index in DATABASE_URL`;
      return { says: other.says, mend };
    }
    const emptied = await emptyIndex(index, federation, { discard, start });
    if ('says' in emptied) return emptied;
    // They are at runs that are no more.
    if (discard || other !== undefined) await endJudges(client, federation);
    if (other !== undefined) {
      await takeOverSchedules(client, federation, await readIndexOf(index, federation.account.name));
      call.terminal.say(`The workflows of ${federation.account.name} work with this index now.`);
    }
    return emptied;
  } finally {
    await index.close();
  }
}

async function finish(
  federation: Federation,
  temporal: TemporalClient,
  { start, emptied, began }: { readonly start: Start; readonly emptied: EmptyIndex; readonly began: number },
  call: Call,
): Promise<ExitCode> {
  const { terminal } = call;
  terminal.say(`${workflowIds.reconcile(federation.account.name)} lists everything.`);
  const asked = await askReconcile(temporal, federation, { judge: 'listing' }, call);
  if (asked.kind === 'undone') throw new IsthmusError('ISTHMUS_ASSERTION', 'A listing was answered with an undo.');
  if (asked.kind === 'approval') {
    terminal.say(`Run ${asked.runId} waits for a decision: \`isthmus reconcile plan ${asked.runId}\`.`);
    return EXIT.no;
  }
  const { summary } = asked;
  if (summary.outcome !== 'complete') {
    for (const line of formatSummary(summary)) terminal.say(line);
    return EXIT.no;
  }
  await using open: OpenAccount = await openAccount(call);
  await untilSettled(open, temporal, call);
  const { live, bytes, byStub } = await countEntries(open.index.db, open.account.id);
  const { stub, hydrated, none, ...rest } = byStub;
  const notShown = Object.fromEntries(Object.entries({ ...rest, none }).filter(([, count]) => count > 0));
  const output: RebuildOutput = {
    discarded: emptied.discarded,
    feedFrom: start.segment ?? null,
    ...{ runId: summary.runId, listed: summary.listed, entries: live, bytes, stubs: stub, hydrated, notShown },
    seconds: Math.round((performance.now() - began) / 100) / 10,
  };
  if (call.json) terminal.print(JSON.stringify(output));
  else for (const line of formatRebuilt(output)) terminal.print(line);
  return EXIT.good;
}
