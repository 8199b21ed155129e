import { describe, expect, it } from 'vitest';
import { judgeUnreachable } from '../../../cli/doctor/check-index.ts';
import { judgeIndex } from '../../../cli/doctor/judge-index.ts';
import { KNOWN_MIGRATIONS, type ServerFacts } from '../../../schema/index/server-facts.ts';
import { notGood } from './not-good.ts';

const SOUND: ServerFacts = {
  version: '18.4',
  versionNumber: 180004,
  encoding: 'UTF8',
  database: 'isthmus',
  user: 'isthmus',
  schema: 'public',
  readOnly: false,
  mayCreate: true,
  mayMakeTemporary: true,
  foreignTables: [],
  connectionLimit: 97,
  connectionsOfOthers: 3,
  connectionsOfOurs: 18,
  settings: {
    fsync: 'on',
    full_page_writes: 'on',
    synchronous_commit: 'on',
    autovacuum: 'on',
    track_counts: 'on',
    statement_timeout: '0',
    lock_timeout: '0',
    idle_in_transaction_session_timeout: '0',
    idle_session_timeout: '0',
    transaction_timeout: '0',
  },
  migrations: KNOWN_MIGRATIONS,
};
const withSettings = (settings: Partial<ServerFacts['settings']>) => ({ settings: { ...SOUND.settings, ...settings } });

describe('what a Postgres says of itself', () => {
  it('is no finding where it is as it must be', () => {
    expect(notGood(judgeIndex(SOUND))).toEqual([]);
  });

  it.each<[string, Partial<ServerFacts>, string, string]>([
    ['a server that does not know our SQL', { version: '11.22', versionNumber: 110022 }, 'wrong', 'postgres.version'],
    ['one that nobody tried', { version: '12.22', versionNumber: 120022 }, 'warning', 'postgres.version'],
    ['another encoding', { encoding: 'SQL_ASCII' }, 'wrong', 'postgres.encoding'],
    ['a standby', { readOnly: true }, 'wrong', 'postgres.rights'],
    ['a schema that nothing may be made in', { mayCreate: false }, 'wrong', 'postgres.rights'],
    ['a search path that leads nowhere', { schema: null, mayCreate: false }, 'wrong', 'postgres.rights'],
    ['no temporary tables', { mayMakeTemporary: false }, 'wrong', 'postgres.rights'],
    ["tables of another's", { foreignTables: ['entries'] }, 'wrong', 'postgres.rights'],
    ['an index that no worker has prepared', { migrations: undefined }, 'unknown', 'postgres.schema'],
    ['an index of a newer version', { migrations: [...KNOWN_MIGRATIONS, '9999-later'] }, 'wrong', 'postgres.schema'],
    ['an index of an older version', { migrations: KNOWN_MIGRATIONS.slice(0, 1) }, 'warning', 'postgres.schema'],
    ['too few connections for one worker', { connectionLimit: 10 }, 'wrong', 'postgres.connections'],
    ['connections that others hold', { connectionsOfOthers: 90 }, 'warning', 'postgres.connections'],
    [
      'connections of workers that hold nearly all',
      { connectionsOfOthers: 10, connectionsOfOurs: 90 },
      'warning',
      'postgres.connections',
    ],
    ['no fsync', withSettings({ fsync: 'off' }), 'warning', 'postgres.durability'],
    ['commits that are not waited for', withSettings({ synchronous_commit: 'off' }), 'warning', 'postgres.durability'],
    ['statements of a second at most', withSettings({ statement_timeout: '1000' }), 'wrong', 'postgres.timeouts'],
    [
      'statements of ten minutes at most',
      withSettings({ statement_timeout: '600000' }),
      'warning',
      'postgres.timeouts',
    ],
    ['locks that are not waited for', withSettings({ lock_timeout: '500' }), 'wrong', 'postgres.timeouts'],
    [
      'sessions that may not idle in a transaction',
      withSettings({ idle_in_transaction_session_timeout: '1000' }),
      'wrong',
      'postgres.timeouts',
    ],
    ['no autovacuum', withSettings({ autovacuum: 'off' }), 'wrong', 'postgres.autovacuum'],
  ])('names %s, and what mends it', (_, facts, outcome, check) => {
    const found = notGood(judgeIndex({ ...SOUND, ...facts }));
    expect(found.map((finding) => [finding.outcome, finding.check])).toEqual([[outcome, check]]);
    expect(found[0]?.mend).toMatch(/\S/);
  });

  it.each([
    ['28P01', /password in DATABASE_URL/],
    ['3D000', /create database/],
    ['53300', /max_connections/],
    ['ECONNREFUSED', /Start Postgres/],
  ])('that cannot be had is told with its code %s and what mends it', (code, mend) => {
    const found = judgeUnreachable(Object.assign(new Error('no'), { code }), 'lake');
    expect(found).toMatchObject({ outcome: 'wrong', check: 'postgres.answers' });
    expect(found.says).toContain(code);
    expect(found.mend).toMatch(mend);
  });
});
