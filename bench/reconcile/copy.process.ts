/**
 * A baseline: what the reconciler stages of the report, the same rows and columns, copied into a plain unlogged table
 * from a file that holds them encoded already. The file is written first, from a run that stages and is then left.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { sql } from 'kysely';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { prepareRun } from '../../reconciler/prepare.ts';
import { stageRun } from '../../reconciler/stage.ts';
import { finishRun } from '../../schema/index/runs.ts';
import { type BenchPlaces, benchServices } from '../bench-services.ts';
import { argumentOf, say } from '../child.ts';

export interface CopyFigures {
  readonly rows: number;
  readonly seconds: number;
  /** Of the rows as COPY's text. */
  readonly bytes: number;
  /** Of the table. */
  readonly tableBytes: number;
}

const TABLE = 'bench_copied';
const CHUNK = 1 << 20;

const { file, ...places } = argumentOf<BenchPlaces & { readonly file: string }>();
const services = await benchServices(places);
const { index } = services;
const { signal } = new AbortController();
const { runId } = await prepareRun(services, { judge: 'inventory' }, signal);
await stageRun(services, runId, signal);
const listed = sql.table(`reconcile_${runId}_listed`);
const client = await index.pool.connect();
await sql`create unlogged table ${sql.table(TABLE)} (like ${listed})`.execute(index.db);
const { sql: select } = sql`copy (select * from ${listed}) to stdout`.compile(index.db);
await pipeline(client.query(copyTo(select)), createWriteStream(file, { highWaterMark: CHUNK }));
await finishRun(index.db, runId, { outcome: 'failed', reason: 'the benchmark staged it for its baseline' });
await sql`drop table ${listed}`.execute(index.db);
await sql`checkpoint`.execute(index.db);

const began = performance.now();
const stream = client.query(copyFrom(`copy ${TABLE} from stdin`));
await pipeline(createReadStream(file, { highWaterMark: CHUNK }), stream);
const seconds = (performance.now() - began) / 1_000;
const { rows } = await sql<{ bytes: number }>`select pg_total_relation_size(${TABLE}) as bytes`.execute(index.db);
await sql`drop table ${sql.table(TABLE)}`.execute(index.db);
client.release();
const figures: CopyFigures = {
  ...{ rows: stream.rowCount, seconds },
  ...{ bytes: (await stat(file)).size, tableBytes: rows[0]?.bytes ?? 0 },
};
say(figures);
await index.close();
process.exit(0);
