import { z } from 'zod';
import type { Timestamp } from '../../namespace/entry.ts';
import { parseFeedJson } from './feed-json.ts';

/** Says how far the feed may be read. It is rewritten only when a segment opens. */
export const SEGMENTS_FILE = 'meta/segments.json';

const segments = z.object({ lastConsumable: z.iso.datetime({ offset: true }) });

export interface Segments {
  /**
   * The beginning of the newest segment that was opened, which is still being written to: segments after it are not
   * to be read, it itself is. Waiting until it is finished would hide changes for days on a quiet account.
   */
  readonly lastConsumable: Timestamp;
}

export function parseSegments(text: string): Segments {
  return { lastConsumable: Date.parse(parseFeedJson(SEGMENTS_FILE, text, segments).lastConsumable) };
}
