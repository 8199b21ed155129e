import { setTimeout as sleep } from 'node:timers/promises';
import { readHubLosses } from '../../schema/index/event-hub-partitions.ts';
import { readDeadLetters } from '../../schema/index/journal.ts';
import type { StatusOutput } from '../../schema/outputs/status.ts';
import type { Call } from '../call.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { formatSeconds } from '../format.ts';
import { type OpenAccount, openAccount } from '../open-account.ts';
import { collectMoving, collectStatus, openStatusSources } from '../status/collect-status.ts';
import { formatStatus } from '../status/format-status.ts';
import { HeldUp } from '../status/held-up.ts';
import { Settling } from '../status/settling.ts';
import { tellSources } from '../status/tell-sources.ts';
import { type WorkflowStatus, workflowStatus } from '../status/workflow-status.ts';
import { connectTemporal } from '../temporal.ts';

const POLL_MS = 300;
const SLOWEST_POLL_MS = 5_000;
const SAY_EVERY_MS = 5_000;
/** How often it is looked whether what is waited for stands still. */
const ASK_EVERY_MS = 1_000;
const DEFAULT_SETTLE_SECONDS = 3;
/** Then what an event hub has lost is old news. */
const LOSSES_FOR_MS = 24 * 3_600_000;

/**
 * `isthmus status`: with `--wait` until nothing that was written is on its way; exit 1 where that takes longer than the
 * timeout. Where it waits for a loop that is paused it says so once, and goes on waiting: somebody may resume it.
 */
export async function status(
  options: { readonly wait: boolean; readonly timeoutSeconds: number | undefined },
  call: Call,
): Promise<ExitCode> {
  await using open = await openAccount(call);
  await using asked = openStatusSources(open);
  const { signal, terminal } = call;
  const print = async (): Promise<StatusOutput> => {
    const workflows = await askWorkflows(open, call);
    const collected = await collectStatus(open, asked, workflows, signal);
    const { account, index } = open;
    const [letters, losses] = await Promise.all([
      readDeadLetters(index.db, account.id),
      readHubLosses(index.db, account.id, Date.now() - LOSSES_FOR_MS),
    ]);
    const sources = tellSources(collected.sources, workflows, letters, losses);
    const output = { ...collected, sources };
    if (call.json) terminal.print(JSON.stringify(output));
    else for (const line of formatStatus(output)) terminal.print(line);
    return output;
  };
  if (!options.wait) {
    await print();
    return EXIT.good;
  }
  const settleMs = (open.federation.sources.changeFeed?.settleSeconds ?? DEFAULT_SETTLE_SECONDS) * 1000;
  const settling = new Settling(settleMs);
  // Whoever waits minutes for quiet need not ask several times a second.
  const pollMs = Math.min(SLOWEST_POLL_MS, Math.max(POLL_MS, settleMs / 10));
  const began = Date.now();
  const deadline =
    options.timeoutSeconds === undefined ? Number.POSITIVE_INFINITY : began + options.timeoutSeconds * 1000;
  let saidAt = began;
  const heldUp = new HeldUp();
  let askedAt = began;
  let asking: Promise<void> | undefined;
  /** Beside the waiting, as a Temporal that is away answers late. */
  const tellHeldUp = async (moving: readonly string[]): Promise<void> => {
    const workflows = await askWorkflows(open, call).catch(() => undefined);
    for (const line of heldUp.tell(moving, workflows)) terminal.say(line);
    asking = undefined;
  };
  for (;;) {
    signal.throwIfAborted();
    const moving = await collectMoving(open, asked, signal);
    if (settling.observe(moving.length > 0, Date.now())) break;
    if (Date.now() > deadline) {
      await print();
      terminal.say(
        `It did not settle within ${formatSeconds(options.timeoutSeconds ?? 0)}: ${moving.join('; ') || 'it has only just become quiet'}.`,
      );
      return EXIT.no;
    }
    if (moving.length > 0 && asking === undefined && Date.now() - askedAt > ASK_EVERY_MS) {
      askedAt = Date.now();
      asking = tellHeldUp(moving);
    }
    if (Date.now() - saidAt > SAY_EVERY_MS) {
      saidAt = Date.now();
      terminal.say(moving.length === 0 ? 'Quiet; waiting to be sure.' : `On its way: ${moving.join('; ')}.`);
    }
    await sleep(pollMs, undefined, { signal });
  }
  await print();
  return EXIT.good;
}

/** Temporal may be away; a status without it still says the rest. */
async function askWorkflows(open: OpenAccount, call: Call): Promise<readonly WorkflowStatus[] | undefined> {
  try {
    await using temporal = await connectTemporal(call.env);
    return await workflowStatus(temporal.client, open.federation);
  } catch {
    call.signal.throwIfAborted();
    return undefined;
  }
}
