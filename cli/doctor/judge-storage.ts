import type { AccountKind } from '../../activities/azure/account-questions.ts';
import { parseKey } from '../../namespace/key.ts';
import type { Federation } from '../../schema/federation/federation.ts';
import { type Finding, good, unknown, warning, wrong } from './finding.ts';

/** Account kinds that send events and can have a feed. */
const KINDS = ['StorageV2', 'BlockBlobStorage', 'BlobStorage'];

export function judgeAccountKind(
  { kind, hierarchical }: AccountKind,
  { account, sources }: Pick<Federation, 'account' | 'sources'>,
): readonly Finding[] {
  const check = 'storage.kind';
  if (hierarchical === true && sources.changeFeed !== undefined) {
    return [
      wrong(
        check,
        `${account.name} has a hierarchical namespace, whose changes no feed tells, and the federation names sources.changeFeed`,
        'Take sources.changeFeed out of the federation file; triggers and inventory tell of such an account.',
      ),
    ];
  }
  if (hierarchical !== undefined && hierarchical !== account.hierarchical) {
    return [
      wrong(
        check,
        `${account.name} has ${hierarchical ? 'a' : 'no'} hierarchical namespace, and the federation file says the other`,
        `Set account.hierarchical to ${hierarchical}.`,
      ),
    ];
  }
  if (kind === undefined) return [unknown(check, `${account.name} does not say what kind it is`)];
  if (!KINDS.includes(kind)) {
    return [
      wrong(
        check,
        `${account.name} is of kind ${kind}, which sends no events and has no feed`,
        `az storage account update -n ${account.name} --upgrade-to-storagev2 --access-tier Hot`,
      ),
    ];
  }
  return [
    good(check, `${account.name} is of kind ${kind}${hierarchical === true ? ', with a hierarchical namespace' : ''}`),
  ];
}

/** A rule for a container that is not there federates nothing: as likely a misspelt name as one that is yet to come. */
export function* judgeRuleContainers(rules: Federation['rules'], containers: readonly string[]): Generator<Finding> {
  const named = new Set(rules.map(({ prefix }) => parseKey(prefix).container).filter((name) => name !== ''));
  const missing = [...named].filter((name) => !containers.includes(name));
  // A list that goes on may hold it.
  if (missing.length === 0 || containers.length >= 1_000) return;
  yield warning(
    'storage.rules',
    `the rules name containers that are not there: ${missing.join(', ')}`,
    'Correct the prefixes under rules, or create the containers.',
  );
}
