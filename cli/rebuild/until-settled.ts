import { setTimeout as sleep } from 'node:timers/promises';
import type { Call } from '../call.ts';
import type { OpenAccount } from '../open-account.ts';
import { progressLine } from '../progress-line.ts';
import { collectMoving, openStatusSources } from '../status/collect-status.ts';
import { HeldUp } from '../status/held-up.ts';
import { Settling } from '../status/settling.ts';
import { workflowStatus } from '../status/workflow-status.ts';
import type { TemporalClient } from '../temporal.ts';

const POLL_MS = 500;
const ASK_EVERY_MS = 5_000;
const SETTLE_SECONDS = 3;

/**
 * Returns when nothing is on its way any more: the feed at its end, looks answered, stubs settled. Says once of each
 * loop that stands still meanwhile that it does.
 */
export async function untilSettled(open: OpenAccount, { client }: TemporalClient, call: Call): Promise<void> {
  const { terminal, signal } = call;
  const { changeFeed } = open.federation.sources;
  const settling = new Settling((changeFeed?.settleSeconds ?? SETTLE_SECONDS) * 1000);
  const heldUp = new HeldUp();
  await using sources = openStatusSources(open);
  using line = progressLine(terminal);
  let askedAt = Date.now();
  for (;;) {
    const moving = await collectMoving(open, sources, signal);
    if (settling.observe(moving.length > 0, Date.now())) return;
    line.show(moving.length === 0 ? 'quiet; waiting to be sure' : moving.join('; '));
    if (moving.length > 0 && Date.now() - askedAt > ASK_EVERY_MS) {
      askedAt = Date.now();
      const workflows = await workflowStatus(client, open.federation).catch(() => undefined);
      for (const text of heldUp.tell(moving, workflows)) terminal.say(text);
    }
    await sleep(POLL_MS, undefined, { signal });
  }
}
