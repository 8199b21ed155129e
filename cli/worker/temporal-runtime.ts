import { DefaultLogger, type LogLevel, Runtime } from '@temporalio/worker';
import type { Logger } from 'pino';

/** Temporal's log lines, written as ours are. */
export function temporalLogger(log: Logger, level: LogLevel): DefaultLogger {
  return new DefaultLogger(level, ({ level: severity, message, meta }) => {
    // A failed attempt is logged where it fails, with its code.
    if (message === 'Activity failed') return;
    const { taskToken: _, ...rest } = meta ?? {};
    const fields = { ...rest, from: 'temporal' };
    if (severity === 'ERROR') log.error(fields, message);
    else if (severity === 'WARN') log.warn(fields, message);
    else if (severity === 'INFO') log.info(fields, message);
    else log.debug(fields, message);
  });
}

/**
 * Installs Temporal's runtime: once in a process, before any worker. Signals are ours to handle. Disposing of it lets
 * the process end, which it would not while a runtime stands without a worker.
 */
export function installTemporalRuntime(log: Logger): AsyncDisposable {
  const runtime = Runtime.install({
    logger: temporalLogger(log, 'WARN'),
    shutdownSignals: [],
    telemetryOptions: { logging: { filter: 'warn', forward: {} } },
  });
  return { [Symbol.asyncDispose]: () => runtime.shutdown() };
}
