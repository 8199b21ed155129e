import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HeldMessage } from '../../../activities/azure/held-message.ts';
import { ServiceBusLink } from '../../../activities/azure/service-bus-link.ts';
import { fakeClient } from './fake-receiver.ts';

/** What a link asks for ahead, at most. */
const AHEAD = 128;

const step = fc.oneof(
  fc.record({ what: fc.constant('hear'), count: fc.integer({ min: 1, max: 200 }), size: fc.integer({ max: 400 }) }),
  fc.record({ what: fc.constantFrom('settle', 'lose'), count: fc.integer({ min: 1, max: 200 }), size: fc.constant(0) }),
  fc.record({ what: fc.constant('rebuild'), count: fc.constant(0), size: fc.constant(0) }),
);

const bytesOf = ({ received }: HeldMessage) => (received.body as string).length;
const complete = { name: 'completed', apply: async () => {} };

/** A link, and by its fake what it may ask for. */
function openLink(hold: number, holdBytes: number) {
  const { client, receivers } = fakeClient({});
  /** Handed out and not settled, lost ones too: whoever applies them does not know. */
  const out: HeldMessage[] = [];
  const link = new ServiceBusLink({
    ...{ client, queue: 'q', hold, holdBytes },
    onMessage: (held) => out.push(held),
    onFailure: () => {},
    onLost: () => {},
  });
  link.open();
  const [receiver] = receivers;
  if (receiver === undefined) throw new Error('a link has a receiver');
  const ahead = Math.min(AHEAD, hold);
  /** What rebuilds have asked for beyond that: the client gives nobody a way to take it back. */
  let beyond = 0;
  return {
    link,
    receiver,
    /** How many may be asked for where there is nothing here. */
    most: () => ahead + beyond,
    room() {
      const here = out.filter(({ lost }) => !lost);
      const bytes = here.reduce((sum, held) => sum + bytesOf(held), 0);
      return { most: Math.min(ahead + beyond, hold + beyond - here.length), isFull: bytes >= holdBytes };
    },
    async act({ what, count, size }: { readonly what: string; readonly count: number; readonly size: number }) {
      if (what === 'hear') receiver.hear(Math.min(count, receiver.credit), 'x'.repeat(Math.max(0, size)));
      if (what === 'settle') await link.settle(out.splice(0, count), complete);
      if (what === 'lose') {
        for (const { received } of out.slice(0, count)) receiver.lost.add(received);
        await link.renew(Date.now() + 3_600_000);
      }
      if (what === 'rebuild') {
        beyond += ahead - receiver.credit;
        receiver.rebuild();
      }
      await turn();
    },
    settleAll: () => link.settle(out.splice(0), complete),
  };
}

describe('the room of a Service Bus link', () => {
  it('8: is what it holds less, to the message, through lost locks, late settlements and rebuilds', async () => {
    const holds = fc.record({ hold: fc.integer({ min: 1, max: 400 }), holdBytes: fc.integer({ min: 1, max: 40_000 }) });
    await fc.assert(
      fc.asyncProperty(holds, fc.array(step, { maxLength: 30 }), async ({ hold, holdBytes }, steps) => {
        const open = openLink(hold, holdBytes);
        for (const each of steps) {
          await open.act(each);
          const { most, isFull } = open.room();
          const { credit } = open.receiver;
          expect(credit).toBeGreaterThanOrEqual(0);
          // With many bytes nothing more is asked for; what was asked for still comes.
          if (isFull) expect(credit).toBeLessThanOrEqual(most);
          else expect(credit).toBe(most);
        }
        await open.settleAll();
        await turn();
        expect([open.link.holds, open.receiver.credit]).toEqual([0, open.most()]);
        await open.link.close();
      }),
    );
  });
});
