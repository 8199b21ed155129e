import { sql } from 'kysely';
import { serverNow } from './clock.ts';
import type { Queryable } from './database.ts';
import { storableText } from './storable.ts';

/** Longer ones help nobody more. */
const LONGEST = 1_000;

/** Keeps with a run that has not ended why its last attempt failed, and when. A step that it does later makes it old. */
export async function noteTrouble(on: Queryable, runId: number, message: string): Promise<void> {
  const text = storableText(message.slice(0, LONGEST));
  await sql`
    update runs
    set state = state || jsonb_build_object('trouble', jsonb_build_object('at', ${serverNow}, 'message', ${text}::text))
    where id = ${runId} and outcome is null`.execute(on);
}
