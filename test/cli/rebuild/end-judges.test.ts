import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { expect, it } from 'vitest';
import { endJudges } from '../../../cli/rebuild/end-judges.ts';

it('a rebuild ends whoever judges by the index that was: of the account, and of each sink, whether they run or not', async () => {
  const ended: string[] = [];
  const getHandle = (id: string) => ({
    async terminate() {
      ended.push(id);
      if (id === 'judge-sink/account/gpu') throw new WorkflowNotFoundError('none runs', id, undefined);
    },
  });
  const client = { workflow: { getHandle } } as unknown as Client;
  const sink = { kind: 'fileView', root: '/nowhere' } as const;
  const federation = { account: { name: 'account' }, sinks: { gpu: sink, vast: sink } };
  await endJudges(client, federation as unknown as Parameters<typeof endJudges>[1]);
  expect(ended.toSorted()).toEqual(['judge-sink/account/gpu', 'judge-sink/account/vast', 'reconcile/account']);
});
