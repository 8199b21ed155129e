/** `PT1M`, `P14D`, `PT5M30.5S` as milliseconds; infinite for the largest that .NET knows, which means never. */
export function durationMs(text: string | undefined): number | undefined {
  const match = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(text ?? '');
  if (match === null) return undefined;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0));
  const ms = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000;
  return days >= 10_000_000 ? Number.POSITIVE_INFINITY : ms;
}
