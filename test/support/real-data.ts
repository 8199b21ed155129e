import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Recorded bytes of real storage accounts stand beside the checkout; `ISTHMUS_REAL_DATA` names another place. */
export const REAL_DATA =
  process.env.ISTHMUS_REAL_DATA ?? fileURLToPath(new URL('../../../shared/real-data', import.meta.url));

/** False where this checkout has no recordings beside it: tests of them are then skipped, and say so. */
export const hasRealData = existsSync(REAL_DATA);
