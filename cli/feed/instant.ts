import { InvalidArgumentError } from 'commander';
import type { Timestamp } from '../../namespace/entry.ts';
import { isCalendarDay } from '../../schema/inputs/check.ts';

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const DATE_AND_TIME = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?$/i;

/** A moment as it is typed: ISO 8601. Without a zone it is UTC, as all times are that Isthmus prints. */
export function instant(text: string): Timestamp {
  const match = DATE_AND_TIME.exec(text);
  const zoned = match !== null && match[1] === undefined ? `${text}Z` : text;
  const time = match !== null || DATE.test(text) ? Date.parse(zoned) : Number.NaN;
  if (Number.isFinite(time) && isCalendarDay(text)) return time;
  throw new InvalidArgumentError(
    'It is a time such as 2026-11-21T10:00:00Z (ISO 8601; UTC unless a zone is given), or so long ago: 30s, 90min, 1h, 2d.',
  );
}
