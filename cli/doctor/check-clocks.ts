import { serverTime } from '../../reconciler/run/server-time.ts';
import type { Federation } from '../../schema/federation/federation.ts';
import type { Index } from '../../schema/index/database.ts';
import { type Asking, ask } from './ask.ts';
import type { Finding } from './finding.ts';
import { type ClockReading, judgeClocks } from './judge-clocks.ts';

/** Reads the index's clock where the index answers, beside that of storage. */
export async function* checkClocks(
  { account }: Pick<Federation, 'account'>,
  index: Index | undefined,
  storage: ClockReading | undefined,
  asking: Asking,
): AsyncGenerator<Finding> {
  const readings = [...(storage === undefined ? [] : [storage])];
  if (index !== undefined) {
    const asked = await ask(asking, "Postgres' clock", () => readClock('Postgres', () => serverTime(index.db)));
    if (asked.answered) readings.push(asked.answer);
  }
  yield judgeClocks(readings, account.marginSeconds * 1000, account.name);
}

async function readClock(whose: string, read: () => Promise<number>): Promise<ClockReading> {
  const sent = Date.now();
  const time = await read();
  return { whose, time, coarseness: 0, sent, received: Date.now() };
}
