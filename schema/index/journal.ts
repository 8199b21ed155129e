import type { Timestamp } from '../../namespace/entry.ts';
import type { Queryable } from './database.ts';
import { unbuilt } from './unbuilt.ts';

/** A decision that was not routine: something refused, dropped, rewound, purged. */
export interface JournalNote {
  /** A kebab-case word: `unstorable-name`, `feed-rewound`. */
  readonly kind: string;
  readonly container?: string | undefined;
  readonly name?: string | undefined;
  readonly detail?: unknown;
}

export interface JournalRow extends JournalNote {
  readonly notedAt: Timestamp;
}

export async function recordJournal(_on: Queryable, _accountId: number, _notes: readonly JournalNote[]): Promise<void> {
  return unbuilt('recordJournal');
}

/** Newest first. */
export async function recentJournal(
  _on: Queryable,
  _accountId: number,
  _options: { readonly limit: number; readonly kind?: string | undefined },
): Promise<readonly JournalRow[]> {
  return unbuilt('recentJournal');
}
