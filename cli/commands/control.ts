import { type Client, ScheduleNotFoundError, WorkflowNotFoundError } from '@temporalio/client';
import { IsthmusError } from '../../schema/errors.ts';
import type { Federation } from '../../schema/federation/federation.ts';
import { nearest } from '../../schema/federation/nearest.ts';
import { TRIGGER_SOURCES } from '../../schema/index/sources.ts';
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
import { loopsOf, TURN_SECONDS } from '../worker/ensure-workflows.ts';
import { type WorkflowState, workflowStates } from '../worker/workflow-states.ts';
import { ANSWER_WITHIN_MS, inTime } from './in-time.ts';

/**
 * A pause cancels the work at hand and waits until it has ended: for a turn of a loop where it does not heed that, and
 * for a worker that takes the place of one that died meanwhile.
 */
const PAUSE_WITHIN_MS = 4 * TURN_SECONDS * 1_000;

type Action = { readonly pause: { readonly reason: string } } | 'resume';
type Changed = ControlOutput['changed'][number];

/** What can be paused: a loop, a schedule with the jobs that it started, or the jobs that run and nobody schedules. */
type Held = { readonly source: string } & (
  | { readonly kind: 'loop' | 'schedule'; readonly id: string }
  | { readonly kind: 'jobs' }
);

/**
 * `isthmus pause` and `isthmus resume`: returns once nothing of what was paused is under way.
 *
 * @throws IsthmusError `ISTHMUS_SOURCE_UNAVAILABLE` where Temporal has none of that name, or nobody answers in time.
 */
export async function control(
  action: Action,
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
  const running = () => workflowStates(client, federation.name);
  using _hint = sayIfSlow(call.terminal, 'Nothing has answered yet: does `isthmus worker` run?');
  const print = (changed: Changed[]) => {
    const output: ControlOutput = { changed };
    call.terminal.print(call.json ? JSON.stringify(output) : formatChanged(changed));
  };
  const changed = await changeAll(client, wanted, running, action, { ...call, onPart: print });
  if (changed.length > 0 || call.json) print(changed);
  if (changed.length > 0) return EXIT.good;
  call.terminal.say(`No ${which.source} runs: there is nothing to ${action === 'resume' ? 'resume' : 'pause'}.`);
  return EXIT.no;
}

export interface ChangeOptions extends Pick<Call, 'signal' | 'terminal'> {
  readonly withinMs?: number | undefined;
  /** Is given those that did change, where not all did. */
  readonly onPart?: ((changed: Changed[]) => void) | undefined;
}

/** @param running lists the workflows that run, among them the jobs that schedules have started. */
export async function changeAll(
  client: Client,
  wanted: readonly Held[],
  running: () => Promise<readonly Pick<WorkflowState, 'source' | 'id'>[]>,
  action: Action,
  options: ChangeOptions,
): Promise<Changed[]> {
  const { withinMs = action === 'resume' ? ANSWER_WITHIN_MS : PAUSE_WITHIN_MS, onPart } = options;
  const orders: { readonly id: string; changed?: Changed }[] = [];
  const waitedFor = () => orders.filter(({ changed }) => changed === undefined).map(({ id }) => id);
  const done = () => orders.flatMap(({ changed }) => changed ?? []);
  const change = async (held: Named, how: typeof changeWorkflow): Promise<void> => {
    const order: (typeof orders)[number] = { id: held.id };
    orders.push(order);
    order.changed = await how(client, held, action);
  };
  try {
    await inTime(client, { waitedFor, withinMs, look: 'isthmus status' }, options, async () => {
      const states = await running();
      await Promise.all(
        wanted.flatMap((held) => {
          if (held.kind === 'loop') return change(held, changeWorkflow);
          const { source } = held;
          const jobs = states.filter((state) => state.source === source);
          return [
            ...(held.kind === 'schedule' ? [change(held, changeSchedule)] : []),
            ...jobs.map(({ id }) => change({ source, id }, changeWorkflow)),
          ];
        }),
      );
    });
  } catch (error) {
    if (done().length > 0) onPart?.(done());
    throw error;
  }
  return done();
}

/** One line for each; a reason may name what the feed holds. */
export function formatChanged(changed: readonly Changed[]): string {
  return formatTable(changed.map(({ source, state, id, reason }) => [source, state, id, printable(reason ?? '')]));
}

/** What covers triggers of every transport, and a name for Service Bus alone, whose loop is older than the other. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  trigger: TRIGGER_SOURCES,
  triggers: TRIGGER_SOURCES,
  'service-bus': ['trigger'],
};

/** What a federation has that can be paused. */
export function heldBy(federation: Federation): readonly Held[] {
  const schedule = (source: string, id: string): Held => ({ source, kind: 'schedule', id });
  const { name } = federation.account;
  return [
    ...loopsOf(federation).map(({ source, id }): Held => ({ source, kind: 'loop', id })),
    { source: 'replay', kind: 'jobs' },
    schedule('inventory', workflowIds.reconcile(name)),
    schedule('maintenance', workflowIds.maintenance(name)),
    ...Object.keys(federation.sinks).map((sink) => schedule(`sink:${sink}`, workflowIds.judgeSink(name, sink))),
  ];
}

/** @throws IsthmusError `ISTHMUS_USAGE` where nothing is named, or nothing of that name is there. */
export function choose(
  held: readonly Held[],
  which: { readonly source: string | undefined; readonly all: boolean },
): readonly Held[] {
  const { source, all } = which;
  if (all && source === undefined) return held;
  const sources = held.map((each) => each.source);
  const words = Object.keys(WORDS).filter((word) => WORDS[word]?.some((each) => sources.includes(each)));
  // `triggers` is only another spelling.
  const names = [...new Set([...words.filter((word) => word !== 'triggers'), ...sources])];
  if (source !== undefined && all) {
    throw new IsthmusError(
      'ISTHMUS_USAGE',
      `--all takes every source, and '${source}' names one: give one of the two.`,
    );
  }
  if (source === undefined) {
    throw new IsthmusError('ISTHMUS_USAGE', `Name one source, or pass --all. The sources: ${names.join(', ')}.`);
  }
  const wanted = WORDS[source] ?? [source];
  const chosen = held.filter((each) => wanted.includes(each.source));
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

async function changeWorkflow(client: Client, held: Named, action: Action): Promise<Changed> {
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

async function changeSchedule(client: Client, held: Named, action: Action): Promise<Changed> {
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
