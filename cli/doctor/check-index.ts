import { messageOf } from '../../schema/errors.ts';
import type { Federation } from '../../schema/federation/federation.ts';
import type { Index } from '../../schema/index/database.ts';
import { openIndex } from '../../schema/index/database.ts';
import { readServerFacts } from '../../schema/index/server-facts.ts';
import { codeOf } from '../failure.ts';
import { type Asking, ask } from './ask.ts';
import { type Finding, good, wrong } from './finding.ts';
import { judgeIndex } from './judge-index.ts';

/** An index that a doctor asks; disposed of, its connections are closed, those that hang among them. */
export interface AskedIndex extends AsyncDisposable {
  readonly index: Index;
}

const CLOSE_MS = 1_000;

export function openAskedIndex(url: string): AskedIndex {
  const index = openIndex(url, { max: 2, applicationName: 'isthmus-doctor', connectMs: 8_000 });
  const clients = new Set<{ end(): Promise<void> }>();
  index.pool.on('connect', (client) => clients.add(client));
  return {
    index,
    [Symbol.asyncDispose]: async () => {
      const closed = index.close().catch(() => undefined);
      const late = setTimeout(() => {
        for (const client of clients) void client.end().catch(() => undefined);
      }, CLOSE_MS);
      await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 2 * CLOSE_MS).unref())]);
      clearTimeout(late);
    },
  };
}

/** @returns whether the index answers. */
export async function* checkIndex(
  { index }: AskedIndex,
  { name }: Pick<Federation, 'name'>,
  asking: Asking,
): AsyncGenerator<Finding, boolean> {
  const asked = await ask(asking, 'Postgres', () => readServerFacts(index.db));
  if (!asked.answered) {
    yield judgeUnreachable(asked.error, name);
    return false;
  }
  yield good('postgres.answers', `database ${asked.answer.database} answers`);
  yield* judgeIndex(asked.answer);
  return true;
}

/** Why there is no index, and what to do. */
export function judgeUnreachable(error: unknown, federation: string): Finding {
  const code = codeOf(error);
  const says = `the index of ${federation} cannot be had: ${messageOf(error)}${code === undefined ? '' : ` (${code})`}`;
  return wrong('postgres.answers', says, mendOf(code));
}

function mendOf(code: string | undefined): string {
  switch (code) {
    case '28P01':
    case '28000':
      return 'Correct user and password in DATABASE_URL (or index.url), or let this host in by pg_hba.conf.';
    case '3D000':
      return "create database NAME encoding 'UTF8' template template0; or correct DATABASE_URL (or index.url).";
    case '53300':
      return 'alter system set max_connections = 200, and restart; or close what holds the connections (pg_stat_activity).';
    case 'ENOTFOUND':
      return 'Correct the host in DATABASE_URL (or index.url).';
    default:
      return 'Start Postgres, let this host through its firewall (`az postgres flexible-server firewall-rule create`), or correct DATABASE_URL (or index.url).';
  }
}
