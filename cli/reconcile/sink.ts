import { type Client, WorkflowExecutionAlreadyStartedError, type WorkflowHandle } from '@temporalio/client';
import { counted } from '../../schema/counted.ts';
import { IsthmusError } from '../../schema/errors.ts';
import type { Federation } from '../../schema/federation/federation.ts';
import { nearest } from '../../schema/federation/nearest.ts';
import type { JudgeSinkInput, JudgeSinkJob, JudgeSinkSummary } from '../../schema/inputs/judge-sink.ts';
import { taskQueueOf, workflowIds } from '../../schema/inputs/names.ts';
import type { ReconcileSinkOutput } from '../../schema/outputs/reconcile-sink.ts';
import type { Call } from '../call.ts';
import { follow } from '../commands/follow.ts';
import { readFederation } from '../environment.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { connectTemporal } from '../temporal.ts';
import { printable } from '../terminal.ts';
import { searchAttributesOf } from '../worker/ensure-workflows.ts';

export interface ReconcileSinkOptions {
  /** None: every sink. */
  readonly sink: string | undefined;
  readonly approved: boolean;
  readonly newView: boolean;
}

/** `isthmus reconcile sink`: exit 1 where nothing was mended because it must not be. */
export async function reconcileSink({ sink, ...how }: ReconcileSinkOptions, call: Call): Promise<ExitCode> {
  const federation = await readFederation(call.config, call.env);
  if (how.newView && sink === undefined) {
    throw new IsthmusError(
      'ISTHMUS_USAGE',
      'Name the sink that has a new view: isthmus reconcile sink SINK --new-view.',
    );
  }
  const sinks = sinksOf(federation, sink);
  await using temporal = await connectTemporal(call.env);
  let code: ExitCode = EXIT.good;
  for (const each of sinks) {
    const handle = await start(temporal.client, federation, { sink: each, ...how }, call);
    const summary = await follow<JudgeSinkSummary>(handle, call);
    const output: ReconcileSinkOutput = { ...summary, drift: { ...summary.drift } };
    if (call.json) call.terminal.print(JSON.stringify(output));
    else for (const line of formatSinkSummary(summary)) call.terminal.print(line);
    if (summary.outcome === 'guarded') code = EXIT.no;
  }
  return code;
}

function sinksOf({ sinks, name }: Federation, wanted: string | undefined): readonly string[] {
  const names = Object.keys(sinks);
  if (wanted === undefined) return names;
  if (names.includes(wanted)) return [wanted];
  const near = nearest(wanted, names);
  const hint = near === undefined ? '' : ` Did you mean '${near}'?`;
  throw new IsthmusError(
    'ISTHMUS_USAGE',
    `Federation ${name} has no sink '${wanted}'.${hint} Its sinks: ${names.join(', ')}.`,
  );
}

/** Where one runs already it is followed to its end first: whoever waits wants what was found after the wish. */
async function start(
  client: Client,
  { name, account }: Federation,
  input: JudgeSinkInput,
  call: Call,
): Promise<WorkflowHandle> {
  const args: [JudgeSinkJob] = [{ federation: name, ...input }];
  for (;;) {
    try {
      return await client.workflow.start('judgeSink', {
        workflowId: workflowIds.judgeSink(account.name, input.sink),
        taskQueue: taskQueueOf(name),
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        workflowTaskTimeout: '5s',
        staticSummary: `Judge of ${account.name} in ${input.sink}`,
        typedSearchAttributes: searchAttributesOf(name, `sink:${input.sink}`),
        args,
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      call.terminal.say(`${error.workflowId} runs already; waiting for it to end first.`);
      await follow(client.workflow.getHandle(error.workflowId), call).catch(() => call.signal.throwIfAborted());
    }
  }
}

/** What judging a sink found, for people. */
export function formatSinkSummary(summary: JudgeSinkSummary): readonly string[] {
  const { runId, sink, outcome, reason, files, live, drift, repaired, open, waiting } = summary;
  const found = Object.entries(drift).map(([cause, count]) => `${cause} ${count}`);
  const lines = [`run ${runId} of sink ${sink}: ${outcome}${reason === undefined ? '' : `: ${reason}`}`];
  if (outcome !== 'nothing-to-do') {
    lines.push(`  ${counted(files, 'file')}, ${counted(live, 'live name')}; ${found.join(', ') || 'no drift'}`);
  }
  if (outcome === 'complete' && found.length > 0) {
    lines.push(`  ${repaired} repaired, ${open} open, ${waiting} on the way (isthmus drift --run ${runId})`);
  }
  return lines.map(printable);
}
