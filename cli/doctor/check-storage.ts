import type { BlobServiceClient } from '@azure/storage-blob';
import {
  askAccountKind,
  askBlob,
  askContainers,
  askingService,
  type ContainersAnswer,
} from '../../activities/azure/account-questions.ts';
import { parseKey } from '../../namespace/key.ts';
import { accountMismatch } from '../../schema/federation/account-mismatch.ts';
import type { Federation } from '../../schema/federation/federation.ts';
import { type Asking, ask } from './ask.ts';
import { explainStorageFailure } from './azure-failure.ts';
import { type Finding, good, unknown, wrong } from './finding.ts';
import type { ClockReading } from './judge-clocks.ts';
import { judgeAccountKind, judgeRuleContainers } from './judge-storage.ts';

/** An account that answers, for the checks of what is in it. */
export interface AskedStorage {
  readonly service: BlobServiceClient;
  readonly clock: ClockReading | undefined;
}

/** @returns undefined where the account does not answer, or is another one. */
export async function* checkStorage(
  federation: Federation,
  asking: Asking,
): AsyncGenerator<Finding, AskedStorage | undefined> {
  const { account } = federation;
  const mismatch = accountMismatch(account);
  if (mismatch !== undefined) {
    yield wrong('storage.account', mismatch.says, mismatch.mend);
    return undefined;
  }
  const containersOf = async (signal: AbortSignal) => {
    const service = askingService(account);
    return { service, containers: await askContainers(service, signal) };
  };
  const asked = await ask(asking, `account ${account.name}`, containersOf);
  if (!asked.answered) {
    const { says, mend } = explainStorageFailure(asked.error, account.name);
    yield wrong('storage.containers', `the containers of ${account.name} cannot be listed: ${says}`, mend);
    return undefined;
  }
  const { service, containers } = asked.answer;
  yield good('storage.containers', `${account.name} answers and lists its containers`);
  yield* checkKind(service, federation, asking);
  yield* judgeRuleContainers(federation.rules, containers.containers);
  yield await checkReading(service, federation, containers.containers, asking);
  return { service, clock: clockOf(containers, account.name) };
}

async function* checkKind(service: BlobServiceClient, federation: Federation, asking: Asking): AsyncGenerator<Finding> {
  const asked = await ask(asking, 'the kind of account', (signal) => askAccountKind(service, signal));
  if (asked.answered) yield* judgeAccountKind(asked.answer, federation);
  else {
    const { says } = explainStorageFailure(asked.error, federation.account.name);
    yield unknown(
      'storage.kind',
      says,
      `az storage account show -n ${federation.account.name} --query "[kind, isHnsEnabled]"`,
    );
  }
}

/** Looks and hydration read blobs, which is another right than listing containers. */
async function checkReading(
  service: BlobServiceClient,
  { account, rules, sources }: Federation,
  containers: readonly string[],
  asking: Asking,
): Promise<Finding> {
  const check = 'storage.read';
  const ruled = rules.map(({ prefix }) => parseKey(prefix).container).filter((name) => containers.includes(name));
  const container = ruled[0] ?? containers.find((name) => name !== sources.inventory?.container) ?? containers[0];
  if (container === undefined) return unknown(check, `${account.name} has no container to read`);
  const asked = await ask(asking, `container ${container}`, (signal) => askBlob(service, container, signal));
  if (asked.answered) {
    return asked.answer === undefined
      ? good(check, `container ${container} may be listed; it is empty`)
      : good(check, `blobs of container ${container} may be listed and read`);
  }
  const { says, mend } = explainStorageFailure(asked.error, account.name);
  return wrong(check, `blobs of container ${container} cannot be read: ${says}`, mend);
}

function clockOf({ date, sent, received }: ContainersAnswer, account: string): ClockReading | undefined {
  return date === undefined
    ? undefined
    : { whose: `storage (${account})`, time: date, coarseness: 1_000, sent, received };
}
