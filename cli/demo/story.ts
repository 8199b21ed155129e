import type { BlobServiceClient } from '@azure/storage-blob';
import type { Stack } from '../../infra/local/stack.ts';
import type { StorageControl } from '../../infra/local/storage/control-client.ts';
import type { Key } from '../../namespace/key.ts';
import type { Account } from '../../schema/index/accounts.ts';
import type { Index } from '../../schema/index/database.ts';

/** What every step of the story works on. */
export interface Story {
  readonly stack: Stack;
  readonly control: StorageControl;
  /** A real Azure client, writing through the advertised endpoint. */
  readonly blobs: BlobServiceClient;
  readonly index: Index;
  readonly account: Account;
  readonly signal: AbortSignal;
  /** The account has a hierarchical namespace: it has directories, and no feed. */
  readonly hierarchical: boolean;
  /** The one blob that is Isthmus's own, and nobody's entry. */
  readonly canary: Key | undefined;
  /** When the container `scratch` was deleted: its name is refused for 30 s from then. */
  scratchDeletedAt: number;
  /** When triggers were let through again, after they had been dropped. */
  triggersBackAt: number;
  /** The replay of the recorded feed, begun while step 2 waits. */
  recorded: Promise<Figures> | undefined;
}

/** What a step shows: figures by name. Times are in milliseconds, sizes in bytes. */
export type Figures = Readonly<Record<string, number | string | boolean>>;

export interface Step {
  readonly title: string;
  /** Where it goes otherwise on an account that has no feed. */
  readonly titleWithoutFeed?: string;
  /** `say` shows what is being done while it is done. */
  run(story: Story, say: (doing: string) => void): Promise<Figures>;
}
