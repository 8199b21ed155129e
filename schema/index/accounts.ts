import type { Timestamp } from '../../namespace/entry.ts';
import type { Index, Queryable, Tx } from './database.ts';
import { unbuilt } from './unbuilt.ts';

/** One storage account of the index. */
export interface Account {
  readonly id: number;
  readonly name: string;
  /** What older creates must not be believed without a look: see `ClockPolicy.horizon`. As it was when the account was read. */
  readonly horizon: Timestamp | undefined;
}

/** The account of this name; made where there is none. */
export async function ensureAccount(_index: Index, _name: string): Promise<Account> {
  return unbuilt('ensureAccount');
}

/** @returns undefined where the index has never seen the account. */
export async function readAccount(_on: Queryable, _name: string): Promise<Account | undefined> {
  return unbuilt('readAccount');
}

/** Raises the account's horizon; it never falls. */
export async function raiseHorizon(_tx: Tx, _accountId: number, _horizon: Timestamp): Promise<void> {
  return unbuilt('raiseHorizon');
}
