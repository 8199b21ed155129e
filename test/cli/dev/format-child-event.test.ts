import { expect, it } from 'vitest';
import { formatChildEvent } from '../../../cli/dev/format-child-event.ts';

it.each([
  ['services', 'ready', 'services are ready (1.2 s)'],
  ['worker', 'ready', 'worker is ready (1.2 s)'],
  ['services', 'restarted', 'services run again'],
  ['worker', 'restarted', 'worker runs again'],
  ['worker', 'died', 'worker died (exit 1); starting it again'],
  ['services', 'died', 'services died (exit 1); starting them again'],
  ['worker', 'forced', 'worker did not stop; killed'],
  ['worker', 'stopped', undefined],
] as const)('of %s that is %s it is said: %s', (child, kind, line) => {
  expect(formatChildEvent({ child, kind, how: 'exit 1', at: 0 }, 1_200)).toBe(line);
});
