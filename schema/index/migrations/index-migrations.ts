import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { namespaceIndex } from './0001-namespace-index.ts';
import { feed } from './0002-feed.ts';
import { tombstones } from './0003-tombstones.ts';
import { deadLetters } from './0005-dead-letters.ts';
import { eventHubs } from './0006-event-hubs.ts';
import { subtrees } from './0007-subtrees.ts';
import { triggerWatch } from './0008-trigger-watch.ts';
import { directoryLooks } from './0009-directory-looks.ts';
import { directoryRenames } from './0010-directory-renames.ts';
import { transportMinutes } from './0011-transport-minutes.ts';
import { drift } from './0012-drift.ts';

/** Every migration, by its name, in order. One that has landed never changes: a test holds its hash. */
export const INDEX_MIGRATIONS: Readonly<Record<string, readonly string[]>> = {
  '0001-namespace-index': namespaceIndex,
  '0002-feed': feed,
  '0003-tombstones': tombstones,
  '0005-dead-letters': deadLetters,
  '0006-event-hubs': eventHubs,
  '0007-subtrees': subtrees,
  '0008-trigger-watch': triggerWatch,
  '0009-directory-looks': directoryLooks,
  '0010-directory-renames': directoryRenames,
  '0011-transport-minutes': transportMinutes,
  '0012-drift': drift,
};

/** The list as Kysely wants it: static, so that tests, bundles and the compiler see the same. */
export function migrationsOf(statements: Readonly<Record<string, readonly string[]>>): Record<string, Migration> {
  return Object.fromEntries(
    Object.entries(statements).map(([name, list]) => [
      name,
      {
        async up(db: Kysely<unknown>) {
          for (const statement of list) await sql.raw(statement).execute(db);
        },
      },
    ]),
  );
}
