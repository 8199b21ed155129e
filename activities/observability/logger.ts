import { type DestinationStream, type Logger, pino } from 'pino';

/** Values under these names never reach a log. */
const SECRETS = ['connectionString', '*.connectionString', '*.*.connectionString', 'url', '*.url', '*.*.url'];

/**
 * Structured log lines. A terminal's people read them too, so each has one sentence as `msg`; values are
 * fields. `ISTHMUS_LOG_LEVEL` sets what is written (`info` by default).
 */
export function createLogger(
  options: { readonly level?: string | undefined; readonly destination?: DestinationStream | undefined } = {},
): Logger {
  const settings = {
    level: options.level ?? process.env.ISTHMUS_LOG_LEVEL ?? 'info',
    base: {},
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: SECRETS, censor: '(not shown)' },
  };
  return options.destination === undefined ? pino(settings) : pino(settings, options.destination);
}
