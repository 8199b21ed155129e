import type { TriggerSource } from '../index/sources.ts';
import { type Federation, LATE_LIMIT_SECONDS } from './federation.ts';

/** The transports of triggers that a federation names. */
export function triggerSources({ serviceBus, eventHubs }: Federation['sources']): readonly TriggerSource[] {
  const named: TriggerSource[] = [];
  if (serviceBus !== undefined) named.push('trigger');
  if (eventHubs !== undefined) named.push('event-hubs');
  return named;
}

/** How late a trigger may be, in milliseconds. */
export function lateLimitMs({ triggers }: Federation['sources']): number {
  return (triggers?.lateLimitSeconds ?? LATE_LIMIT_SECONDS) * 1000;
}
