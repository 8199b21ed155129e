import type { BlobServiceClient } from '@azure/storage-blob';
import { askContainer } from '../../activities/azure/account-questions.ts';
import type { Federation } from '../../schema/federation/federation.ts';
import { type Asking, ask } from './ask.ts';
import { explainStorageFailure } from './azure-failure.ts';
import { type Finding, good, wrong } from './finding.ts';

/** Containers of the account that the federation names beside its rules and its inventory. */
export async function* checkContainers(
  { account, sources }: Pick<Federation, 'account' | 'sources'>,
  service: BlobServiceClient,
  asking: Asking,
): AsyncGenerator<Finding> {
  const named = [
    ['deadLetters', sources.deadLetters?.container, 'to which Event Grid writes what it gave up on'],
    ['canary', sources.canary?.container, 'in which the canary is written (Storage Blob Data Contributor on it)'],
  ] as const;
  for (const [source, container, what] of named) {
    if (container === undefined) continue;
    const check = `${source}.container`;
    const asked = await ask(asking, `container ${container}`, (signal) => askContainer(service, container, signal));
    if (!asked.answered) {
      const { says, mend } = explainStorageFailure(asked.error, account.name);
      yield wrong(check, `container ${container} of ${account.name} cannot be read: ${says}`, mend);
    } else if (asked.answer === undefined) {
      yield wrong(
        check,
        `${account.name} has no container ${container}, ${what}`,
        `Correct sources.${source}.container, or: az storage container create --account-name ${account.name} -n ${container}`,
      );
    } else yield good(check, `container ${container} is there, ${what}`);
  }
}
