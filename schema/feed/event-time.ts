import type { Timestamp } from '../../namespace/entry.ts';

/** `2020-05-12T22:30:49.7112345Z`: how Azure writes every `eventTime`. */
const LENGTH = 28;
const SECONDS = 17;
const FRACTION = 20;

/** The minute that was read last: neighbours in a feed share it. */
let minute = '';
let minuteAt = Number.NaN;

/**
 * Reads an `eventTime`, its fraction cut to milliseconds. In the form that Azure writes by arithmetic, which takes a
 * tenth of the time of `Date.parse`; in any other form by that.
 *
 * @returns NaN where it is no time.
 */
export function parseEventTime(text: string): Timestamp {
  if (text.length !== LENGTH || !text.endsWith('Z') || text[FRACTION - 1] !== '.') return Date.parse(text);
  if (minute === '' || !text.startsWith(minute)) {
    const start = text.slice(0, SECONDS);
    const at = Date.parse(`${start}00Z`);
    if (!Number.isFinite(at)) return Date.parse(text);
    minute = start;
    minuteAt = at;
  }
  const seconds = 10 * digit(text, SECONDS) + digit(text, SECONDS + 1);
  const milliseconds = 100 * digit(text, FRACTION) + 10 * digit(text, FRACTION + 1) + digit(text, FRACTION + 2);
  const exact = seconds < 60 && text[SECONDS + 2] === '.' ? minuteAt + 1_000 * seconds + milliseconds : Number.NaN;
  return Number.isNaN(exact) ? Date.parse(text) : exact;
}

/** NaN where there is none. */
function digit(text: string, at: number): number {
  const value = text.charCodeAt(at) - 48;
  return value >= 0 && value <= 9 ? value : Number.NaN;
}
