import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { IsthmusError } from '../../../schema/errors.ts';

/** Whether something accepts connections on this local port. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/**
 * Throws `ISTHMUS_PORT_IN_USE` where something listens there, still after `patienceMs`; port 0 is any free one.
 * Patience is for what an earlier run left behind and is about to end.
 */
export async function refuseTakenPort(port: number, user: string, patienceMs = 0): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (port !== 0 && (await accepts(port))) {
    if (Date.now() >= deadline) throw portInUse(port, user);
    await sleep(50);
  }
}

export function portInUse(port: number, user: string, cause?: unknown): IsthmusError {
  const message = `port ${port} of ${user} is taken: stop what listens there or pass another port`;
  return new IsthmusError('ISTHMUS_PORT_IN_USE', message, { cause });
}
