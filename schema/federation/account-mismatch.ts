import { accountOf, accountOfEndpoint } from './connection-string.ts';
import type { Federation } from './federation.ts';

/** What is wrong with an account whose name and address are not of one account, and what mends it. */
export interface AccountMismatch {
  readonly says: string;
  readonly mend: string;
}

/**
 * Events, rules and workflows go by `account.name`, looks, listings and the feed by the address: where these are two
 * accounts, one would be judged by the other.
 *
 * @returns undefined where they are one, or where the address does not say whose it is.
 */
export function accountMismatch({
  name,
  blobEndpoint,
  connectionString,
}: Pick<Federation['account'], 'name' | 'blobEndpoint' | 'connectionString'>): AccountMismatch | undefined {
  const [key, reached] =
    connectionString === undefined
      ? ['account.blobEndpoint', blobEndpoint && accountOfEndpoint(blobEndpoint)]
      : ['account.connectionString', accountOf(connectionString)];
  if (!reached || reached === name) return undefined;
  const own =
    connectionString === undefined
      ? `leave ${key} out`
      : `let ${key} be that of ${name}: az storage account show-connection-string -n ${name}`;
  return {
    says: `${key} reaches the account ${reached}, and account.name is ${name}`,
    mend: `Set account.name to ${reached}, or ${own}`,
  };
}
