import { type RawBuilder, sql } from 'kysely';

/**
 * The server's time at the start of the statement, in milliseconds since 1970: leases and retention are
 * measured by one clock, whoever asks. Stable within the statement, so that an index can be searched by it.
 */
export const serverNow: RawBuilder<number> = sql<number>`(extract(epoch from statement_timestamp()) * 1000)::bigint`;
