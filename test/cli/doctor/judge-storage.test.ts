import { RestError } from '@azure/storage-blob';
import { describe, expect, it } from 'vitest';
import { explainStorageFailure } from '../../../cli/doctor/azure-failure.ts';
import { judgeAccountKind, judgeRuleContainers } from '../../../cli/doctor/judge-storage.ts';
import { parseFederation } from '../../../schema/federation/parse-federation.ts';
import { notGood } from './not-good.ts';

const FEDERATION = parseFederation(
  `{ name: lake, account: { name: contoso }, sources: { changeFeed: {} }, sinks: { gpu: { kind: fileView, root: /mnt } },
     rules: [{ prefix: training/, authority: blob, sink: gpu }, { prefix: models/v1/, authority: blob, sink: gpu }] }`,
  {},
);
const refused = (statusCode: number, code: string, message = 'no') => new RestError(message, { statusCode, code });
/** Azurite's one word for a key that is wrong and for a right that is missing. */
const NOT_AUTHENTICATED =
  'Server failed to authenticate the request. Make sure the value of the Authorization header is formed';

describe('a storage account', () => {
  it.each([
    [{ kind: 'StorageV2', hierarchical: false }, 'good'],
    [{ kind: 'BlockBlobStorage', hierarchical: undefined }, 'good'],
    [{ kind: 'StorageV2', hierarchical: true }, 'wrong'],
    [{ kind: 'Storage', hierarchical: false }, 'wrong'],
    [{ kind: undefined, hierarchical: undefined }, 'unknown'],
  ])('%j with a feed named is %s', (kind, outcome) => {
    expect(judgeAccountKind(kind, FEDERATION).map((finding) => finding.outcome)).toEqual([outcome]);
  });

  it('may have a hierarchical namespace where no feed is named', () => {
    const account = { ...FEDERATION.account, hierarchical: true };
    const found = judgeAccountKind({ kind: 'StorageV2', hierarchical: true }, { account, sources: {} });
    expect(notGood(found)).toEqual([]);
  });

  it.each([true, false])('whose hierarchy (%j) the file does not know is wrong', (hierarchical) => {
    const account = { ...FEDERATION.account, hierarchical: !hierarchical };
    const [found] = judgeAccountKind({ kind: 'StorageV2', hierarchical }, { account, sources: {} });
    expect(found).toMatchObject({ outcome: 'wrong', mend: `Set account.hierarchical to ${hierarchical}.` });
  });

  it('without a container that a rule names is warned of', () => {
    expect(notGood(judgeRuleContainers(FEDERATION.rules, ['training', 'models']))).toEqual([]);
    const [found] = notGood(judgeRuleContainers(FEDERATION.rules, ['training']));
    expect(found).toMatchObject({ outcome: 'warning', says: expect.stringContaining('models') });
  });

  it.each([
    [refused(403, 'AuthenticationFailed'), /^The key or token .* clock .*show-connection-string -n contoso/],
    [refused(403, 'AuthorizationFailure', NOT_AUTHENTICATED), /^The key or token .*show-connection-string -n contoso/],
    [refused(403, 'AuthorizationPermissionMismatch'), /role assignment create --role "Storage Blob Data Reader"/],
    [
      refused(403, 'AuthorizationFailure'),
      /^The account's firewall.*network-rule add --account-name contoso.*role assignment/,
    ],
    [refused(403, 'KeyBasedAuthenticationNotPermitted'), /DefaultAzureCredential/],
    [refused(401, 'NoAuthenticationInformation'), /role assignment create/],
    [Object.assign(new Error('no'), { code: 'ENOTFOUND' }), /account\.blobEndpoint/],
    [Object.assign(new Error('no'), { name: 'CredentialUnavailableError' }), /az login/],
    [Object.assign(new Error('no'), { name: 'AggregateAuthenticationError' }), /az login/],
    [new Error('Invalid Connection String'), /show-connection-string/],
  ])('that answers %s is explained with what mends it', (error, mend) => {
    expect(explainStorageFailure(error, 'contoso').mend).toMatch(mend);
  });
});
