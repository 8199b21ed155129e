import { Context } from '@temporalio/activity';
import pLimit from 'p-limit';
import type { LookAnswer } from '../namespace/change.ts';
import type { Timestamp } from '../namespace/entry.ts';
import { messageOf } from '../schema/errors.ts';
import { applyLooks } from '../schema/index/apply-answers.ts';
import { noteContainerGone } from '../schema/index/containers.ts';
import { claimLooks, countLooks, postponeLook, type WantedLook } from '../schema/index/looks.ts';
import type { Activities } from '../schema/inputs/activities.ts';
import { applyUnderRules } from './apply-under-rules.ts';
import { heartbeats } from './heartbeat.ts';
import { LookRate } from './look-rate.ts';
import { quietly } from './quietly.ts';
import type { Services } from './services.ts';

/** Looks answered in one transaction. */
const BATCH = 500;
/** HEADs at a time. */
const AT_ONCE = 32;
/** What a worker that was killed had claimed waits this long. A claim that ends before its look does costs a second HEAD, nothing else. */
const LEASE_MS = 30_000;
/** How soon a look that was just wanted is seen. */
const POLL_MS = 200;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 300_000;

type Answer =
  | { readonly answer: LookAnswer; readonly containerGone: boolean }
  | { readonly look: WantedLook; readonly error: string };

/** Answers the looks that pages wanted. What cannot be asked now is asked again later; nothing is concluded from a failure. */
export function lookActivities(services: Services): Pick<Activities, 'answerLooks'> {
  const { account, blobs, clock, federation, index } = services;
  const rate = new LookRate(federation.reconcile.looksPerSecond);

  async function ask(look: WantedLook, signal: AbortSignal): Promise<Answer> {
    try {
      signal.throwIfAborted();
      const result = await blobs.look(look.key, signal);
      const answer: LookAnswer = {
        kind: 'look',
        container: look.key.container,
        name: look.key.name,
        found: result.kind === 'found' ? result.attributes : undefined,
        time: result.time,
        entryRevision: look.entryRevision,
        eventId: look.reason,
      };
      return { answer, containerGone: result.kind === 'container-gone' };
    } catch (error) {
      return { look, error: messageOf(error) };
    }
  }

  /** What was broken off because the turn was cancelled is free again at once. */
  async function postpone(look: WantedLook, error: string, cancelled: boolean): Promise<void> {
    const delay = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(look.attempts, 20));
    const inMs = cancelled ? 0 : Math.round(delay * (0.5 + services.random() / 2));
    await postponeLook(index, account.id, { key: look.key, inMs, error });
  }

  /** @returns how many were answered and applied, or found that their entry had moved. */
  async function answerBatch(looks: readonly WantedLook[], signal: AbortSignal): Promise<number> {
    const results = await pLimit(AT_ONCE).map(looks, (look) => ask(look, signal));
    const answers: LookAnswer[] = [];
    const gone = new Map<string, Timestamp>();
    for (const result of results) {
      if ('error' in result) {
        await postpone(result.look, result.error, signal.aborted);
        continue;
      }
      const { answer, containerGone } = result;
      answers.push(answer);
      if (containerGone) gone.set(answer.container, Math.max(gone.get(answer.container) ?? answer.time, answer.time));
    }
    if (answers.length === 0) return 0;
    const counts = await applyUnderRules(services, async (tx, scope) => {
      for (const [container, at] of [...gone].sort()) await noteContainerGone(tx, account.id, container, at);
      return applyLooks(tx, { ...scope, answers });
    });
    const failed = results.length - answers.length;
    services.metrics.page('look', { applied: counts.applied, moved: counts.moved, failed });
    return answers.length;
  }

  return {
    async answerLooks({ seconds }) {
      const signal = Context.current().cancellationSignal;
      const until = clock.now() + seconds * 1000;
      let answered = 0;
      using _heartbeats = heartbeats(() => ({ answered }));
      await quietly(signal, async () => {
        while (clock.now() < until && !signal.aborted) {
          const pause = Math.min(rate.pauseMs(clock.now()), until - clock.now());
          if (pause > 0) {
            await clock.sleep(pause, signal);
            continue;
          }
          const looks = await claimLooks(index, account.id, Math.min(BATCH, rate.perSecond), LEASE_MS);
          rate.spend(looks.length, clock.now());
          if (looks.length > 0) answered += await answerBatch(looks, signal);
          else await clock.sleep(Math.min(POLL_MS, Math.max(0, until - clock.now())), signal);
        }
      });
      return { answered, pending: await countLooks(index.db, account.id) };
    },
  };
}
