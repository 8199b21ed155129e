import type { ContainerState } from '../../namespace/container.ts';
import type { Timestamp } from '../../namespace/entry.ts';
import type { Epoch } from '../../namespace/epoch.ts';
import type { Queryable, Tx } from './database.ts';
import { unbuilt } from './unbuilt.ts';

/** A container as the index knows it. */
export interface ContainerRow extends ContainerState {
  readonly id: number;
}

/** What is known of these containers; those that the index has never seen are absent. */
export async function containerStates(
  _on: Queryable,
  _accountId: number,
  _names: readonly string[],
): Promise<ReadonlyMap<string, ContainerRow>> {
  return unbuilt('containerStates');
}

/** Like `containerStates`, but makes the rows that are missing. */
export async function ensureContainers(
  _tx: Tx,
  _accountId: number,
  _names: readonly string[],
): Promise<ReadonlyMap<string, ContainerRow>> {
  return unbuilt('ensureContainers');
}

/** Every container of the account, in key order. */
export async function listContainers(
  _on: Queryable,
  _accountId: number,
): Promise<readonly (ContainerRow & { readonly name: string })[]> {
  return unbuilt('listContainers');
}

/** Raises `newestEpoch` (it never falls) and marks a sweep due where it rose over an older one. */
export async function noteEpochs(_tx: Tx, _accountId: number, _epochs: ReadonlyMap<string, Epoch>): Promise<void> {
  return unbuilt('noteEpochs');
}

/** The container itself answered 404 at this time of the server: raises `goneAt` and marks a sweep due. */
export async function noteContainerGone(_tx: Tx, _accountId: number, _name: string, _at: Timestamp): Promise<void> {
  return unbuilt('noteContainerGone');
}
