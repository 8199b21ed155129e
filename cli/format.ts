/** `1.5 KiB`, `12 GiB`: three digits at most, binary units. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : Number(value.toPrecision(3))} ${units[unit]}`;
}

/** `3.2 s`, `12 min`, `5 h`, `3 d`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds * 10) / 10} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129_600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** Milliseconds since 1970 as people and programs both read it. */
export function formatTime(time: number): string {
  return Number.isFinite(time) && Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : 'never';
}

/**
 * When a feed last answered its loop's poll. A loop that stopped tells no poll, and one that has read a segment, or has
 * said anything but that it reads, has polled.
 */
export function formatPolled(polledAt: string | null, segment: string | null, state: string): string {
  if (polledAt !== null) return `polled at ${polledAt}`;
  const silent = state === 'unheard' || state === 'tailing' || state === 'not-named';
  return segment === null && silent ? 'never polled' : 'when it was last polled is not known';
}

/** Rows with their columns lined up; the last column is not padded. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>((wide, row) => row.map((cell, at) => Math.max(cell.length, wide[at] ?? 0)), []);
  return rows
    .map((row) =>
      row
        .map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
