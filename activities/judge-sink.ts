import { Context } from '@temporalio/activity';
import { judgeSink, prepareSinkRun } from '../reconciler/sink/judge-sink.ts';
import { STUBS_WAIT } from '../reconciler/sink/settle-sink.ts';
import type { JudgedSink } from '../reconciler/sink/sink-judging.ts';
import { IsthmusError } from '../schema/errors.ts';
import type { Activities } from '../schema/inputs/activities.ts';
import { workflowIds } from '../schema/inputs/names.ts';
import { heartbeats } from './heartbeat.ts';
import { notingTrouble } from './noting-trouble.ts';
import type { Services } from './services.ts';

/** Judges sinks. Only the one workflow of a sink may, so that no two drive a run, or end each other's. */
export function judgeSinkActivities(services: Services): Pick<Activities, 'prepareJudgeSink' | 'judgeSink'> {
  return {
    async prepareJudgeSink({ sink, approved = false, newView = false }) {
      const { workflowRun } = alone(services, sink);
      const judged = judgedSink(services, sink);
      using _heartbeats = heartbeats(() => `starting a run of ${sink}`);
      if (newView) await judged.sink.adoptView();
      return { runId: await prepareSinkRun(services, sink, { wish: workflowRun, approved: approved || newView }) };
    },
    async judgeSink({ runId, sink }) {
      const { signal } = alone(services, sink);
      using _heartbeats = heartbeats(() => `judging ${sink}, run ${runId}`);
      return await notingTrouble(services, runId, signal, () =>
        judgeSink(services, judgedSink(services, sink), runId, STUBS_WAIT, signal),
      );
    },
  };
}

function judgedSink({ sinks, federation }: Services, name: string): JudgedSink {
  const sink = sinks.get(name);
  if (sink !== undefined) return { name, sink };
  throw new IsthmusError('ISTHMUS_USAGE', `Federation ${federation.name} has no sink '${name}'.`);
}

function alone({ account }: Services, sink: string): { readonly signal: AbortSignal; readonly workflowRun: string } {
  const { info, cancellationSignal } = Context.current();
  const mine = workflowIds.judgeSink(account.name, sink);
  const workflow = info.workflowExecution;
  if (workflow?.workflowId === mine) return { signal: cancellationSignal, workflowRun: workflow.runId };
  throw new IsthmusError('ISTHMUS_USAGE', `Only the workflow ${mine} judges it, and this is ${workflow?.workflowId}.`);
}
