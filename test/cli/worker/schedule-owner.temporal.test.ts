import { describe, expect, it } from 'vitest';
import { ensureSchedules, takeOverSchedules } from '../../../cli/worker/ensure-workflows.ts';
import * as owners from '../../../cli/worker/schedule-owner.ts';
import { federationSchema } from '../../../schema/federation/federation.ts';
import { workflowIds } from '../../../schema/inputs/names.ts';
import { testTemporal } from '../../support/temporal.ts';

const federation = (name: string, account = 'lake') =>
  federationSchema.parse({
    ...{ name, account: { name: account } },
    sinks: { vast: { kind: 'fileView', root: '/nowhere' } },
    rules: [{ prefix: '', authority: 'blob', sink: 'vast' }],
  });

const { NO_INDEX, otherOwner, readOwner } = owners;
const refuseOtherOwner: typeof ensureSchedules = (client, named, index) =>
  owners.refuseOtherOwner(client, named, () => Promise.resolve(index));

const FIRST = '2026-11-21T14:00:00.123Z';
const SECOND = '2026-11-22T08:00:00.456Z';

describe('the workflows of an account', () => {
  it('are refused to another federation, and to the same one with another index', async () => {
    await using temporal = await testTemporal();
    const { client } = temporal;
    await refuseOtherOwner(client, federation('one'), NO_INDEX);
    await ensureSchedules(client, federation('one'), FIRST);
    await ensureSchedules(client, federation('one'), FIRST);
    await ensureSchedules(client, federation('two', 'pond'), SECOND);

    const code = 'ISTHMUS_CONFIG';
    const renamed = /^the workflows of lake in namespace default are those of federation one, and this is two\. /;
    for (const attempt of [refuseOtherOwner, ensureSchedules]) {
      await expect(attempt(client, federation('two'), SECOND)).rejects.toMatchObject({ code, message: renamed });
      await expect(attempt(client, federation('one'), SECOND)).rejects.toMatchObject({
        code,
        message: expect.stringMatching(`rules since ${FIRST}, and this index since ${SECOND}\\. .*DATABASE_URL`),
      });
    }
    await expect(refuseOtherOwner(client, federation('one'), NO_INDEX)).rejects.toMatchObject({ code });
    expect(await readOwner(client, 'lake')).toEqual({ federation: 'one', index: FIRST });
  });

  it('are not refused to a worker that starts while the first one prepares the index of both', async () => {
    await using temporal = await testTemporal();
    const { client } = temporal;
    await owners.refuseOtherOwner(client, federation('one'), async () => {
      await ensureSchedules(client, federation('one'), FIRST);
      return NO_INDEX;
    });
  });

  it('go to the one that took the place of another by what the refusal says', async () => {
    await using temporal = await testTemporal();
    const { client } = temporal;
    await ensureSchedules(client, federation('one'), FIRST);
    await client.schedule.getHandle(workflowIds.reconcile('lake')).delete();
    await ensureSchedules(client, federation('two'), SECOND);
    expect(await readOwner(client, 'lake')).toEqual({ federation: 'two', index: SECOND });
  });

  it('are given to an index that is rebuilt, as they are else, and are not made for it where there are none', async () => {
    await using temporal = await testTemporal();
    const { client } = temporal;
    await takeOverSchedules(client, federation('one'), SECOND);
    expect(await readOwner(client, 'lake')).toBeUndefined();
    await ensureSchedules(client, federation('one'), FIRST);
    await takeOverSchedules(client, federation('one'), SECOND);
    expect(await readOwner(client, 'lake')).toEqual({ federation: 'one', index: SECOND });
    await ensureSchedules(client, federation('one'), SECOND);
  });

  it('that an older worker has made, which told no index, are those of the next', async () => {
    await using temporal = await testTemporal();
    const { client } = temporal;
    await ensureSchedules(client, federation('one'), FIRST);
    const args = [{ federation: 'one', account: 'lake' }];
    const schedule = client.schedule.getHandle(workflowIds.reconcile('lake'));
    await schedule.update(({ spec, action, policies, state }) => ({
      spec,
      action: { ...action, args },
      policies,
      state,
    }));
    await ensureSchedules(client, federation('one'), SECOND);
    expect(await readOwner(client, 'lake')).toEqual({ federation: 'one', index: SECOND });
  });
});

it('an owner whose index is not known is held to be the same by its name', () => {
  const place = { account: 'lake', namespace: 'default' };
  const theirs = { federation: 'one', index: FIRST };
  expect(otherOwner({ federation: 'one', index: undefined }, theirs, place)).toBeUndefined();
  expect(otherOwner({ federation: 'two', index: undefined }, theirs, place)?.mend).toMatch(
    /^Give this one a Temporal namespace .* temporal workflow terminate -n default .* && temporal schedule delete -n default --schedule-id reconcile\/lake$/,
  );
});
