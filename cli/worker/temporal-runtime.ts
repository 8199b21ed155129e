import { DefaultLogger, type LogLevel, Runtime } from '@temporalio/worker';
import type { Logger } from 'pino';

/** Temporal's log lines, written as ours are. */
export function temporalLogger(log: Logger, level: LogLevel): DefaultLogger {
  return new DefaultLogger(level, ({ level: severity, message, meta }) => {
    const fields = { ...meta, from: 'temporal' };
    if (severity === 'ERROR') log.error(fields, message);
    else if (severity === 'WARN') log.warn(fields, message);
    else if (severity === 'INFO') log.info(fields, message);
    else log.debug(fields, message);
  });
}

let installed = false;

/** Once in a process, before any worker. Signals are ours to handle: the worker is shut down by the command. */
export function installTemporalRuntime(log: Logger): void {
  if (installed) return;
  installed = true;
  Runtime.install({
    logger: temporalLogger(log, 'WARN'),
    shutdownSignals: [],
    telemetryOptions: { logging: { filter: 'warn', forward: {} } },
  });
}
