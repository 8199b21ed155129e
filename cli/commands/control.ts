import { type Client, ScheduleNotFoundError, WorkflowNotFoundError } from '@temporalio/client';
import { IsthmusError } from '../../schema/errors.ts';
import type { Federation } from '../../schema/federation/federation.ts';
import { nearest } from '../../schema/federation/nearest.ts';
import { PAUSE, type Progress, RESUME } from '../../schema/inputs/control.ts';
import { workflowIds } from '../../schema/inputs/names.ts';
import type { ControlOutput } from '../../schema/outputs/control.ts';
import type { Call } from '../call.ts';
import { readFederation } from '../environment.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { formatTable } from '../format.ts';
import { sayIfSlow } from '../say-if-slow.ts';
import { connectTemporal } from '../temporal.ts';
import { printable } from '../terminal.ts';
import { loopsOf } from '../worker/ensure-workflows.ts';
import { workflowStates } from '../worker/workflow-states.ts';

type Changed = ControlOutput['changed'][number];

/** What can be paused: a loop, a schedule with the jobs that it started, or the jobs that run and nobody schedules. */
type Held = { readonly source: string } & (
  | { readonly kind: 'loop' | 'schedule'; readonly id: string }
  | { readonly kind: 'jobs' }
);

/** `isthmus pause` and `isthmus resume`: returns once nothing of what was paused is under way. */
export async function control(
  action: { readonly pause: { readonly reason: string } } | 'resume',
  which: { readonly source: string | undefined; readonly all: boolean },
  call: Call,
): Promise<ExitCode> {
  const federation = await readFederation(call.config, call.env);
  const wanted = choose(heldBy(federation), which);
  if (action !== 'resume' && action.pause.reason.trim() === '') {
    throw new IsthmusError('ISTHMUS_USAGE', 'A pause needs a reason: --reason TEXT. It is kept and shown.');
  }
  await using temporal = await connectTemporal(call.env);
  const { client } = temporal;
  const states = await workflowStates(client, federation.name);
  using _hint = sayIfSlow(call.terminal, 'Nothing has answered yet: does `isthmus worker` run?');
  const change = () =>
    Promise.all(
      wanted.map(async (held): Promise<readonly Changed[]> => {
        const { source } = held;
        if (held.kind === 'loop') return [await changeWorkflow(client, held, action)];
        const jobs = states.filter((state) => state.source === source);
        return [
          ...(held.kind === 'schedule' ? [await changeSchedule(client, held, action)] : []),
          ...(await Promise.all(jobs.map(({ id }) => changeWorkflow(client, { source, id }, action)))),
        ];
      }),
    );
  const changed = await client.withAbortSignal(call.signal, change);
  const output: ControlOutput = { changed: changed.flat() };
  if (call.json) call.terminal.print(JSON.stringify(output));
  else call.terminal.print(formatChanged(output.changed));
  if (output.changed.length > 0) return EXIT.good;
  call.terminal.say(`No ${which.source} runs.`);
  return EXIT.no;
}

/** One line for each; a reason may name what the feed holds. */
export function formatChanged(changed: readonly Changed[]): string {
  return formatTable(changed.map(({ source, state, id, reason }) => [source, state, id, printable(reason ?? '')]));
}

function heldBy(federation: Federation): readonly Held[] {
  const schedule = (source: string, id: string): Held => ({ source, kind: 'schedule', id });
  const { name } = federation.account;
  return [
    ...loopsOf(federation).map(({ source, id }): Held => ({ source, kind: 'loop', id })),
    { source: 'replay', kind: 'jobs' },
    schedule('inventory', workflowIds.reconcile(name)),
    schedule('maintenance', workflowIds.maintenance(name)),
  ];
}

function choose(
  held: readonly Held[],
  which: { readonly source: string | undefined; readonly all: boolean },
): readonly Held[] {
  const { source, all } = which;
  if (all && source === undefined) return held;
  const names = held.map((each) => each.source);
  if (source === undefined || all) {
    throw new IsthmusError('ISTHMUS_USAGE', `Name one source, or pass --all. The sources: ${names.join(', ')}.`);
  }
  const chosen = held.filter((each) => each.source === source);
  if (chosen.length === 0) {
    const near = nearest(source, names);
    const hint = near === undefined ? '' : ` Did you mean '${near}'?`;
    throw new IsthmusError('ISTHMUS_USAGE', `There is no source '${source}'.${hint} The sources: ${names.join(', ')}.`);
  }
  return chosen;
}

/** A workflow or a schedule, and what it is called. */
interface Named {
  readonly source: string;
  readonly id: string;
}

async function changeWorkflow(client: Client, held: Named, action: Parameters<typeof control>[0]): Promise<Changed> {
  const handle = client.workflow.getHandle(held.id);
  try {
    const progress =
      action === 'resume'
        ? await handle.executeUpdate<Progress, []>(RESUME)
        : await handle.executeUpdate<Progress, [{ reason: string }]>(PAUSE, { args: [action.pause] });
    return { source: held.source, id: held.id, state: progress.state, reason: progress.pause?.reason ?? null };
  } catch (error) {
    throw error instanceof WorkflowNotFoundError ? notThere(held, error) : error;
  }
}

async function changeSchedule(client: Client, held: Named, action: Parameters<typeof control>[0]): Promise<Changed> {
  const handle = client.schedule.getHandle(held.id);
  const { source, id } = held;
  try {
    if (action === 'resume') {
      await handle.unpause('resumed by `isthmus resume`');
      return { source, id, state: 'waiting', reason: null };
    }
    await handle.pause(action.pause.reason);
    return { source, id, state: 'paused', reason: action.pause.reason };
  } catch (error) {
    throw error instanceof ScheduleNotFoundError ? notThere(held, error) : error;
  }
}

function notThere({ source, id }: Named, cause: Error): IsthmusError {
  return new IsthmusError(
    'ISTHMUS_SOURCE_UNAVAILABLE',
    `Temporal has no ${id}, so ${source} cannot be changed: start \`isthmus worker\`, which makes it.`,
    { cause },
  );
}
