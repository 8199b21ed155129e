import type { ChildEvent } from '../../infra/local/child-spec.ts';

/** Deaths and returns of a child of the stack, for people; undefined where it went as it should, which is not news. */
export function formatChildEvent({ child, kind, how }: ChildEvent, afterMs: number): string | undefined {
  const isMany = child === 'services';
  switch (kind) {
    case 'ready':
      return `${child} ${isMany ? 'are' : 'is'} ready (${(afterMs / 1000).toFixed(1)} s)`;
    case 'died':
      return `${child} died (${how ?? 'unknown'}); starting ${isMany ? 'them' : 'it'} again`;
    case 'restarted':
      return `${child} ${isMany ? 'run' : 'runs'} again`;
    case 'forced':
      return `${child} did not stop; killed`;
    case 'stopped':
      return undefined;
  }
}
