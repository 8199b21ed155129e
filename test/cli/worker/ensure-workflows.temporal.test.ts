import { describe, expect, it } from 'vitest';
import { endUnnamedLoops, ensureLoops, searchAttributesOf } from '../../../cli/worker/ensure-workflows.ts';
import { workflowStates } from '../../../cli/worker/workflow-states.ts';
import { federationSchema } from '../../../schema/federation/federation.ts';
import { taskQueueOf } from '../../../schema/inputs/names.ts';
import { until } from '../../infra/stack/alive.ts';
import { testTemporal } from '../../support/temporal.ts';

const serviceBus = { queue: 'q', connectionString: 'Endpoint=sb://x' };
const eventHubs = { eventHub: 'h', connectionString: 'Endpoint=sb://x' };
const federation = (name: string, account: string, sources: object) =>
  federationSchema.parse({
    ...{ name, account: { name: account }, sources },
    sinks: { vast: { kind: 'fileView', root: '/nowhere' } },
    rules: [{ prefix: '', authority: 'blob', sink: 'vast' }],
  });

const QUEUE = ['look/lake', 'stub-dispatch/lake/vast', 'trigger-intake/lake'];
const HUB = ['event-hub-intake/lake', 'look/lake', 'stub-dispatch/lake/vast'];

describe('the loops of a federation whose file changes', () => {
  it('end where it does not name them any more, come back where it does again, and leave jobs and others alone', async () => {
    await using temporal = await testTemporal();
    const { client } = temporal;
    const running = async (name: string) => (await workflowStates(client, name)).map(({ id }) => id).toSorted();
    const untilRunning = (name: string, ids: readonly string[]) =>
      until(`running: ${ids}`, async () => (await running(name)).join() === ids.join());
    const before = federation('test', 'lake', { serviceBus });
    const after = federation('test', 'lake', { eventHubs });
    const other = federation('other', 'pond', { serviceBus });
    await Promise.all([before, other].map((each) => ensureLoops(client, each)));
    await client.workflow.start('hydrate', {
      workflowId: 'hydrate/1',
      taskQueue: taskQueueOf('test'),
      typedSearchAttributes: searchAttributesOf('test', 'hydrate'),
    });
    await untilRunning('test', ['hydrate/1', ...QUEUE]);

    expect(await endUnnamedLoops(client, before)).toEqual([]);
    await ensureLoops(client, after);
    expect(await endUnnamedLoops(client, after)).toEqual(['trigger-intake/lake']);
    await untilRunning('test', [...HUB.slice(0, 1), 'hydrate/1', ...HUB.slice(1)]);
    // Every worker on the same file does it, and again and again.
    expect(await Promise.all([after, after].map((file) => endUnnamedLoops(client, file)))).toEqual([[], []]);
    const history = await client.workflow.getHandle('trigger-intake/lake').fetchHistory();
    expect(history.events?.at(-1)?.workflowExecutionTerminatedEventAttributes?.reason).toBe(
      'The federation file of a worker does not name it any more.',
    );

    await ensureLoops(client, before);
    expect(await endUnnamedLoops(client, before)).toEqual(['event-hub-intake/lake']);
    await untilRunning('test', ['hydrate/1', ...QUEUE]);
    expect(await running('other')).toEqual(['look/pond', 'stub-dispatch/pond/vast', 'trigger-intake/pond']);
  });

  it('end with the dead letters, the feed and the sink that it does not name any more, and no other', async () => {
    await using temporal = await testTemporal();
    const { client } = temporal;
    const running = async () => (await workflowStates(client, 'test')).map(({ id }) => id).toSorted();
    const view = { kind: 'fileView', root: '/nowhere' };
    const file = (sources: object, sinks: object) =>
      federationSchema.parse({ ...federation('test', 'lake', sources), sinks });
    const before = file({ serviceBus, deadLetters: { container: 'dead' }, changeFeed: {} }, { vast: view, old: view });
    const gone = ['dead-letter-intake/lake', 'feed-tail/lake', 'stub-dispatch/lake/old'];
    await ensureLoops(client, before);
    await until('seen', async () => (await running()).length === QUEUE.length + gone.length);
    expect(await endUnnamedLoops(client, before)).toEqual([]);

    const ended = await endUnnamedLoops(client, file({ serviceBus }, { vast: view }));
    expect(ended.toSorted()).toEqual(gone);
    await until('ended', async () => (await running()).join() === QUEUE.join());
  });

  it('is no error where another worker has ended them meanwhile', async () => {
    await using temporal = await testTemporal();
    const { client } = temporal;
    await ensureLoops(client, federation('test', 'lake', { serviceBus }));
    await until('seen', async () => (await workflowStates(client, 'test')).length === QUEUE.length);
    const after = federation('test', 'lake', { eventHubs });
    const ended = await Promise.all([1, 2, 3].map(() => endUnnamedLoops(client, after)));
    expect(ended.flat()).toEqual(['trigger-intake/lake']);
  });
});
