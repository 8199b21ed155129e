import { askHub } from '../../activities/azure/hub-questions.ts';
import type { Federation } from '../../schema/federation/federation.ts';
import { type Asking, ask } from './ask.ts';
import { namespaceOf } from './bus-namespace.ts';
import type { Finding } from './finding.ts';
import { judgeHub, judgeHubFailure } from './judge-hub.ts';

type EventHubs = NonNullable<Federation['sources']['eventHubs']>;

export async function* checkHub(hubs: EventHubs, asking: Asking): AsyncGenerator<Finding> {
  const named = { ...hubs, namespace: namespaceOf(hubs) };
  const asked = await ask(asking, `event hub ${hubs.eventHub}`, (signal) => askHub(hubs, signal));
  if (asked.answered) yield* judgeHub(asked.answer, named);
  else yield judgeHubFailure(asked.error, named);
}
