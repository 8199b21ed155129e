import { IsthmusError, messageOf } from '../schema/errors.ts';
import type { Federation } from '../schema/federation/federation.ts';
import { type Account, readAccount } from '../schema/index/accounts.ts';
import { type Index, openIndex } from '../schema/index/database.ts';
import type { Call } from './call.ts';
import { indexUrl, readFederation } from './environment.ts';
import { codeOf, NO_TABLES } from './failure.ts';

/** A federation's account in its index, for commands that ask; closed by `await using`. */
export interface OpenAccount extends AsyncDisposable {
  readonly federation: Federation;
  readonly index: Index;
  readonly account: Account;
}

/** A server that hangs takes connections and never answers on them. */
const CONNECT_MS = 10_000;

/**
 * @throws IsthmusError `ISTHMUS_INDEX_UNAVAILABLE` where Postgres does not answer, `ISTHMUS_USAGE` where no
 * worker has ever prepared this index for this account.
 */
export async function openAccount(call: Call): Promise<OpenAccount> {
  const federation = await readFederation(call.config, call.env);
  const index = openIndex(indexUrl(federation, call.env), {
    max: 4,
    applicationName: 'isthmus-cli',
    connectMs: CONNECT_MS,
  });
  const never = () =>
    new IsthmusError(
      'ISTHMUS_USAGE',
      `The index does not know account ${federation.account.name} yet: start \`isthmus worker\`, which prepares it.`,
    );
  try {
    const account = await readAccount(index.db, federation.account.name);
    if (account === undefined) throw never();
    return { federation, index, account, [Symbol.asyncDispose]: () => index.close() };
  } catch (error) {
    await index.close();
    if (error instanceof IsthmusError) throw error;
    if (codeOf(error) === NO_TABLES) throw never();
    throw new IsthmusError(
      'ISTHMUS_INDEX_UNAVAILABLE',
      `The index does not answer: ${messageOf(error)}. Start Postgres, or correct DATABASE_URL.`,
      { cause: error },
    );
  }
}
