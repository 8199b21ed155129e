import { messageOf } from '../../schema/errors.ts';
import { rulesOf } from '../../schema/federation/canary.ts';
import type { Federation } from '../../schema/federation/federation.ts';
import { readAccount } from '../../schema/index/accounts.ts';
import { liveRules } from '../../schema/index/authority-revisions.ts';
import type { Index } from '../../schema/index/database.ts';
import { readSinkViews, type SinkView } from '../../schema/index/sink-views.ts';
import { readRoots } from '../../schema/index/sinks.ts';
import { readSources, type SourceRow } from '../../schema/index/sources.ts';
import { type Environment, indexUrl } from '../environment.ts';
import { readIndexOf } from '../worker/schedule-owner.ts';
import { type Asking, ask } from './ask.ts';
import { checkClocks } from './check-clocks.ts';
import { checkContainers } from './check-containers.ts';
import { checkFeed } from './check-feed.ts';
import { checkHub } from './check-hub.ts';
import { type AskedIndex, checkIndex, openAskedIndex } from './check-index.ts';
import { checkInventory } from './check-inventory.ts';
import { checkQueue } from './check-queue.ts';
import { checkSinks } from './check-sinks.ts';
import { checkStorage } from './check-storage.ts';
import { checkTemporal } from './check-temporal.ts';
import { type Finding, wrong } from './finding.ts';
import { judgeRules, type Published } from './judge-rules.ts';
import { judgeSubscription } from './judge-subscription.ts';

/**
 * Checks, one after the other, everything that a federation needs, as its worker would meet it. Nothing is changed; a
 * sink is tried out as a worker tries it. What cannot be reached is one finding, and what rests on it is not asked.
 *
 * @throws only the signal's reason.
 */
export async function* examine(federation: Federation, env: Environment, asking: Asking): AsyncGenerator<Finding> {
  const opened = openIndexOf(federation, env);
  if ('check' in opened) yield opened;
  await using index = 'check' in opened ? undefined : opened;
  const answers = index === undefined ? false : yield* checkIndex(index, federation, asking);
  const answering = answers ? index?.index : undefined;
  const known = answering && (await readKnown(answering, federation, asking));
  if (known !== undefined) yield judgeRules({ ...federation, rules: rulesOf(federation) }, known);

  const born = answering && (await ask(asking, 'the index', () => readIndexOf(answering, federation.account.name)));
  yield* checkTemporal(federation, born?.answered ? born.answer : undefined, env, asking);

  const { changeFeed, eventHubs, serviceBus } = federation.sources;
  const storage = yield* checkStorage(federation, asking);
  yield* checkClocks(federation, answering, storage?.clock, asking);
  if (storage !== undefined) {
    if (changeFeed !== undefined) yield* checkFeed(federation, storage.service, known?.feed, asking);
    yield* checkInventory(federation, storage.service, asking);
    yield* checkContainers(federation, storage.service, asking);
  }
  if (serviceBus !== undefined) yield* checkQueue(serviceBus, asking);
  if (eventHubs !== undefined) yield* checkHub(eventHubs, asking);
  if (serviceBus !== undefined || eventHubs !== undefined) yield judgeSubscription(federation);
  yield* checkSinks(federation, known?.views, asking);
}

function openIndexOf(federation: Federation, env: Environment): AskedIndex | Finding {
  try {
    return openAskedIndex(indexUrl(federation, env));
  } catch (error) {
    return wrong('postgres.answers', messageOf(error), 'export DATABASE_URL=postgres://USER:PASSWORD@HOST/DATABASE');
  }
}

interface Known extends Published {
  readonly feed: SourceRow | undefined;
  readonly views: ReadonlyMap<string, SinkView>;
}

/** What workers have left in the index; nothing where none has prepared it. */
async function readKnown({ db }: Index, federation: Federation, asking: Asking): Promise<Known | undefined> {
  const asked = await ask(asking, 'the live rules', async () => {
    const account = await readAccount(db, federation.account.name);
    if (account === undefined) return undefined;
    const sources = await readSources(db, account.id);
    return {
      account,
      rules: await liveRules(db, account.id),
      roots: await readRoots(db, account.id),
      views: await readSinkViews(db, account.id),
      feed: sources.find(({ source }) => source === 'feed'),
    };
  });
  return asked.answered ? asked.answer : undefined;
}
