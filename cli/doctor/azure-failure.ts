import { azureFailure } from '../../activities/azure/azure-error.ts';
import { messageOf } from '../../schema/errors.ts';
import { codeOf } from '../failure.ts';

/** Why a request to Azure failed, in the service's own word, and what mends it. */
export interface ExplainedFailure {
  readonly says: string;
  readonly mend: string;
}

export const READER_ROLE = 'Storage Blob Data Reader';

/** @param account its name, which the command that mends it needs. */
export function explainStorageFailure(error: unknown, account: string): ExplainedFailure {
  const failure = azureFailure(error);
  const code = failure?.code ?? codeOf(error);
  const message = messageOf(error).split('\n')[0] ?? '';
  const says = code === undefined || message.includes(code) ? message : `${message} (${code})`;
  return { says, mend: mendOf(code, failure?.status, error, account) };
}

function mendOf(code: string | undefined, status: number | undefined, error: unknown, account: string): string {
  switch (code) {
    case 'AuthenticationFailed':
    case 'InvalidAuthenticationInfo':
      return keyOf(account);
    case 'AuthorizationPermissionMismatch':
      return roleOf(account);
    case 'AuthorizationFailure':
      // Azurite's word for a key that is not the account's.
      if (messageOf(error).startsWith('Server failed to authenticate')) return keyOf(account);
      return (
        `The account's firewall: az storage account network-rule add --account-name ${account} --ip-address ADDRESS ` +
        `(portal: Networking), or go by its private endpoint; or a right, of the identity or in the SAS: ${roleOf(account)}`
      );
    case 'KeyBasedAuthenticationNotPermitted':
      return (
        'Leave account.connectionString out, so that DefaultAzureCredential is used; or: ' +
        `az storage account update -n ${account} --allow-shared-key-access true`
      );
    case 'AccountIsDisabled':
      return 'The account or its subscription is disabled: see it in the portal.';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `Correct account.name or account.blobEndpoint, or this machine's DNS: nslookup ${account}.blob.core.windows.net`;
    case 'ContainerNotFound':
      return 'Correct the name, or create it.';
  }
  if (isCredentialFailure(error)) {
    return `No identity could be had: az login, or give this machine a managed identity, or set account.connectionString. Then: ${roleOf(account)}`;
  }
  if (status === 401 || status === 403) return roleOf(account);
  if (/connection ?string/i.test(messageOf(error))) {
    return `az storage account show-connection-string -n ${account}, and set account.connectionString.`;
  }
  return 'Correct account.blobEndpoint or account.connectionString, and see whether a firewall stands between (portal: Networking).';
}

function keyOf(account: string): string {
  return (
    'The key or token is not of this account, or a clock is off by 15 minutes: ' +
    `az storage account show-connection-string -n ${account}, and set account.connectionString; timedatectl`
  );
}

function roleOf(account: string): string {
  return (
    `az role assignment create --role "${READER_ROLE}" --assignee IDENTITY ` +
    `--scope "$(az storage account show -n ${account} --query id -o tsv)"  (it takes up to ten minutes to hold)`
  );
}

/** `DefaultAzureCredential` found nothing to ask with, or was refused by Entra. */
export function isCredentialFailure(error: unknown): boolean {
  return error instanceof Error && /Credential|Authentication(Required)?Error/.test(error.name);
}
