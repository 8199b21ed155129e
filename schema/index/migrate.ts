import type { Index } from './database.ts';
import { unbuilt } from './unbuilt.ts';

/** Brings the index to the newest schema. Idempotent, and safe when many workers start at once: one migrates, the others wait. */
export async function migrateIndex(_index: Index): Promise<void> {
  return unbuilt('migrateIndex');
}
