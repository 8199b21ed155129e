import { InvalidArgumentError } from 'commander';
import type { Timestamp } from '../namespace/entry.ts';
import { instant } from './feed/instant.ts';

const DURATION = /^(\d+(?:\.\d+)?)\s*(s|min|h|d)$/;
const SECONDS: Readonly<Record<string, number>> = { s: 1, min: 60, h: 3600, d: 86_400 };

/** Seconds, as they are typed: `30s`, `90min`, `1h`, `2d`. */
export function duration(text: string): number {
  const seconds = secondsOf(text);
  if (seconds !== undefined && seconds > 0 && Number.isFinite(seconds)) return seconds;
  throw new InvalidArgumentError('It is a time span above 0, such as 30s, 90min, 1h or 2d.');
}

/** A moment: ISO 8601, or so long ago. */
export function momentOrAgo(text: string, now: Timestamp): Timestamp {
  const seconds = secondsOf(text);
  if (seconds === undefined) return instant(text);
  const time = now - seconds * 1000;
  if (!Number.isNaN(new Date(time).getTime())) return time;
  throw new InvalidArgumentError('It goes back further than time is counted.');
}

function secondsOf(text: string): number | undefined {
  const [, number, unit] = DURATION.exec(text) ?? [];
  return unit === undefined ? undefined : Number(number) * (SECONDS[unit] ?? 0);
}
