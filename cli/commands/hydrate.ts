import { createHash } from 'node:crypto';
import type { HydrateInput, HydrateSummary } from '../../schema/inputs/activities.ts';
import type { JobInput } from '../../schema/inputs/control.ts';
import { taskQueueOf, workflowIds } from '../../schema/inputs/names.ts';
import type { HydrateOutput } from '../../schema/outputs/hydrate.ts';
import type { Call } from '../call.ts';
import { readFederation } from '../environment.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { connectTemporal } from '../temporal.ts';
import { searchAttributesOf } from '../worker/ensure-workflows.ts';
import { follow } from './follow.ts';
import { formatHydrated, whyNothing } from './format-hydrated.ts';

/** `isthmus hydrate KEY-or-PREFIX`: exit 1 where a file could not be had, or there was none. Asked again while it runs, it follows the same workflow. */
export async function hydrate(prefix: string, call: Call): Promise<ExitCode> {
  const federation = await readFederation(call.config, call.env);
  await using temporal = await connectTemporal(call.env);
  // Workflow ids are never encrypted: the prefix itself is not in it.
  const requestId = createHash('sha256').update(`${federation.name}\0${prefix}`).digest('hex').slice(0, 16);
  const input: JobInput & HydrateInput = { federation: federation.name, prefix, requestId };
  const handle = await temporal.client.workflow.start('hydrate', {
    workflowId: workflowIds.hydrate(requestId),
    taskQueue: taskQueueOf(federation.name),
    args: [input],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowTaskTimeout: '5s',
    staticSummary: 'Hydrate a prefix',
    typedSearchAttributes: searchAttributesOf(federation.name, 'hydrate'),
  });
  const summary = await follow<HydrateSummary>(handle, call);
  const output: HydrateOutput = { ...summary, failures: [...summary.failures] };
  if (call.json) call.terminal.print(JSON.stringify(output));
  else for (const line of formatHydrated(summary)) call.terminal.print(line);
  const why = whyNothing(prefix, summary);
  if (why !== undefined) call.terminal.say(why);
  return summary.failed > 0 || summary.files + summary.already === 0 ? EXIT.no : EXIT.good;
}
