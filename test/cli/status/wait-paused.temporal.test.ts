import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { control } from '../../../cli/commands/control.ts';
import { status } from '../../../cli/commands/status.ts';
import { ensureAccount } from '../../../schema/index/accounts.ts';
import { taskQueueOf, workflowIds } from '../../../schema/inputs/names.ts';
import { temporaryFolder } from '../../infra/stack/temporary-folder.ts';
import { testIndex } from '../../support/postgres.ts';
import { standing, testWorkflows } from '../../workflows/harness.ts';
import { recordingTerminal } from '../recording-terminal.ts';

it('status --wait says of a feed that is paused that it is, and goes on waiting', async () => {
  await using workflows = await testWorkflows();
  await using db = await testIndex();
  await using temporary = await temporaryFolder();
  await ensureAccount(db.index, 'contoso');
  const config = path.join(temporary.folder, 'federation.yaml');
  await writeFile(
    config,
    // Nothing listens there: the feed itself cannot be asked.
    "name: waiting\naccount: { name: contoso, connectionString: 'DefaultEndpointsProtocol=http;AccountName=contoso;AccountKey=aGVsbG8=;BlobEndpoint=http://127.0.0.1:1/contoso;' }\nsources: { changeFeed: {} }\nsinks: { gpu: { kind: fileView, root: . } }\nrules: [{ prefix: '', authority: blob, sink: gpu }]\n",
  );
  await using _worker = await workflows.work(taskQueueOf('waiting'), { tailFeed: standing });
  const handle = await workflows.temporal.client.workflow.start('feedTail', {
    workflowId: workflowIds.feedTail('contoso'),
    taskQueue: taskQueueOf('waiting'),
    args: [{ federation: 'waiting' }],
  });
  const interrupt = new AbortController();
  const terminal = recordingTerminal();
  const said: string[] = [];
  const env = {
    TEMPORAL_ADDRESS: workflows.temporal.address,
    DATABASE_URL: db.url,
  };
  const call = {
    ...{ env, signal: interrupt.signal, json: false, config },
    terminal: {
      ...terminal,
      say: (line: string) => {
        said.push(line);
        if (line.includes('is paused')) interrupt.abort(new Error('seen'));
      },
    },
  };
  await control({ pause: { reason: 'storage moves' } }, { source: 'feed', all: false }, call);
  await expect(status({ wait: true, timeoutSeconds: undefined }, call)).rejects.toThrow();
  expect(said.filter((line) => line.includes('is paused'))).toEqual([
    expect.stringMatching(/^feed is paused by an operator since .* \(storage moves\)\. .*`isthmus resume feed`\.$/),
  ]);
  await handle.terminate();
});
