import { counted, isOrAre } from '../../schema/counted.ts';
import { KNOWN_MIGRATIONS, type ServerFacts } from '../../schema/index/server-facts.ts';
import { formatSeconds } from '../format.ts';
import { type Finding, good, unknown, warning, wrong } from './finding.ts';

/** `materialized` is the newest word of our SQL: an older server refuses it. */
const LEAST_VERSION = 12;
/** The tests of index and reconciler pass on it, and on each that came after. */
const OLDEST_TRIED = 13;
/** A worker's pool, its migration, and one command beside it. */
const CONNECTIONS_OF_ONE = 16 + 2 + 4;
/** Pages set their own limit; what streams rows or builds an index in a reconcile has the server's. */
const SHORTEST_STATEMENT_MS = 60_000;
const SHORT_STATEMENT_MS = 30 * 60_000;
/** A page waits for another that holds its rows. */
const SHORTEST_WAIT_MS = 60_000;

/** What the server's own word means for the index. */
export function judgeIndex(facts: ServerFacts): readonly Finding[] {
  return [
    judgeVersion(facts),
    judgeEncoding(facts),
    judgeRights(facts),
    judgeMigrations(facts),
    judgeConnections(facts),
    judgeDurability(facts),
    judgeTimeouts(facts),
    judgeVacuum(facts),
  ];
}

function judgeVersion({ version, versionNumber }: ServerFacts): Finding {
  const check = 'postgres.version';
  const major = Math.floor(versionNumber / 10_000);
  const mend =
    'Upgrade the server: `az postgres flexible-server upgrade -g GROUP -n SERVER --version 17`, or `pg_upgrade`.';
  if (major < LEAST_VERSION)
    return wrong(check, `Postgres ${version} is older than ${LEAST_VERSION}, which the SQL needs`, mend);
  if (major < OLDEST_TRIED)
    return warning(check, `Postgres ${version}: the oldest that was tried is ${OLDEST_TRIED}`, mend);
  return good(check, `Postgres ${version}`);
}

function judgeEncoding({ encoding, database }: ServerFacts): Finding {
  const check = 'postgres.encoding';
  if (encoding === 'UTF8') return good(check, `database ${database} is encoded in UTF8`);
  return wrong(
    check,
    `database ${database} is encoded in ${encoding}; blob names need UTF8`,
    `create database ${database}_utf8 encoding 'UTF8' template template0, and name it in DATABASE_URL.`,
  );
}

function judgeRights(facts: ServerFacts): Finding {
  const check = 'postgres.rights';
  const { user, database, schema, foreignTables } = facts;
  if (facts.readOnly) {
    return wrong(
      check,
      `database ${database} is read only`,
      'Name the primary, not a standby, in DATABASE_URL; or: alter role ROLE reset default_transaction_read_only',
    );
  }
  if (schema === null || !facts.mayCreate) {
    const where =
      schema === null ? `no schema of the search path of ${user} exists` : `${user} may not create in schema ${schema}`;
    return wrong(check, where, `grant create, usage on schema ${schema ?? 'public'} to ${user}`);
  }
  if (!facts.mayMakeTemporary) {
    return wrong(
      check,
      `${user} may not make temporary tables, in which verify compares`,
      `grant temporary on database ${database} to ${user}`,
    );
  }
  if (foreignTables.length > 0) {
    return wrong(
      check,
      `${foreignTables.join(', ')} in schema ${schema} are not ${user}'s own, so that its worker could not migrate them`,
      `alter table NAME owner to ${user}, for each; or grant the owner's role to ${user}`,
    );
  }
  return good(check, `${user} may create, write and make temporary tables in schema ${schema}`);
}

function judgeMigrations({ migrations }: ServerFacts): Finding {
  const check = 'postgres.schema';
  if (migrations === undefined) {
    return unknown(check, 'no worker has prepared this index yet', 'The first `isthmus worker` makes the tables.');
  }
  const newer = migrations.filter((name) => !KNOWN_MIGRATIONS.includes(name));
  if (newer.length > 0) {
    return wrong(
      check,
      `the index was migrated by a newer Isthmus: ${newer.join(', ')}`,
      'Run that version here as well; an older one refuses the index.',
    );
  }
  const missing = KNOWN_MIGRATIONS.filter((name) => !migrations.includes(name));
  if (missing.length > 0) {
    return warning(
      check,
      `the index lacks ${missing.join(', ')}: its workers are of an older version`,
      'Start a worker of this version: it migrates.',
    );
  }
  return good(check, `the index has its ${counted(migrations.length, 'migration')}`);
}

function judgeConnections({ connectionLimit, connectionsOfOthers, connectionsOfOurs }: ServerFacts): Finding {
  const check = 'postgres.connections';
  const left = connectionLimit - connectionsOfOthers;
  const found = `${connectionLimit} connections may be had; Isthmus holds ${connectionsOfOurs} now, others hold ${connectionsOfOthers}; a worker with a command beside it opens up to ${CONNECTIONS_OF_ONE}`;
  const mend =
    'alter system set max_connections = 200, and restart; or lift the limit of role or database: alter role ROLE connection limit -1';
  if (connectionLimit < CONNECTIONS_OF_ONE) return wrong(check, found, mend);
  if (left < Math.max(CONNECTIONS_OF_ONE, connectionsOfOurs)) return warning(check, found, mend);
  return good(check, found);
}

function judgeDurability({ settings, user }: ServerFacts): Finding {
  const check = 'postgres.durability';
  const off = (['fsync', 'full_page_writes', 'synchronous_commit'] as const).filter((name) => settings[name] === 'off');
  if (off.length === 0) return good(check, 'what is committed is on disk');
  const lost =
    'a crash of the server loses what was committed, while its message was settled and its cursor may be ahead';
  return warning(
    check,
    `${off.join(' and ')} ${isOrAre(off.length)} off: ${lost}`,
    off
      .map((name) =>
        name === 'synchronous_commit'
          ? `alter role ${user} set synchronous_commit = on (or in DATABASE_URL, where it is set there)`
          : `alter system set ${name} = on; select pg_reload_conf()`,
      )
      .join('\n'),
  );
}

function judgeTimeouts({ settings, user }: ServerFacts): Finding {
  const check = 'postgres.timeouts';
  const short: string[] = [];
  const long: string[] = [];
  const observe = (name: keyof ServerFacts['settings'], least: number, comfortable: number) => {
    const ms = Number(settings[name] ?? 0);
    if (ms > 0 && ms < least) short.push(`${name} is ${formatSeconds(ms / 1000)}`);
    else if (ms > 0 && ms < comfortable) long.push(`${name} is ${formatSeconds(ms / 1000)}`);
  };
  observe('statement_timeout', SHORTEST_STATEMENT_MS, SHORT_STATEMENT_MS);
  observe('transaction_timeout', SHORTEST_STATEMENT_MS, SHORT_STATEMENT_MS);
  observe('lock_timeout', SHORTEST_WAIT_MS, SHORTEST_WAIT_MS);
  observe('idle_in_transaction_session_timeout', SHORTEST_WAIT_MS, SHORTEST_WAIT_MS);
  const mend = [...short, ...long].map((said) => `alter role ${user} set ${said.split(' ')[0]} = 0`).join('\n');
  if (short.length > 0) {
    return wrong(
      check,
      `${[...short, ...long].join(', ')}: pages and reconciles would be broken off again and again`,
      mend,
    );
  }
  if (long.length > 0)
    return warning(check, `${long.join(', ')}: the staging of a large reconcile may take longer`, mend);
  return good(check, 'no time limit of the server breaks off a page');
}

function judgeVacuum({ settings }: ServerFacts): Finding {
  const check = 'postgres.autovacuum';
  const off = (['autovacuum', 'track_counts'] as const).filter((name) => settings[name] === 'off');
  if (off.length === 0) return good(check, 'autovacuum runs');
  return wrong(
    check,
    `${off.join(' and ')} ${isOrAre(off.length)} off: the index grows and slows with each overwrite, and its plans rest on old counts`,
    off.map((name) => `alter system set ${name} = on; select pg_reload_conf()`).join('\n'),
  );
}
