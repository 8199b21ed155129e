import { describe, expect, it } from 'vitest';
import { ask } from '../../../cli/doctor/ask.ts';

const NEVER = new Promise<never>(() => {});

describe('a question', () => {
  it('is told before it is put, and answered', async () => {
    const told: string[] = [];
    const { signal } = new AbortController();
    const asked = await ask({ signal, onAsk: (what) => told.push(what) }, 'the queue', async () => told.length);
    expect(asked).toEqual({ answered: true, answer: 1 });
    expect(told).toEqual(['the queue']);
  });

  it('that nobody answers ends, with who it was, and tells its work to stop', async () => {
    let within: AbortSignal | undefined;
    const asking = { signal: new AbortController().signal, onAsk: () => {}, answerMs: 5 };
    const asked = await ask(asking, 'the queue', async (signal) => {
      within = signal;
      return await NEVER;
    });
    expect(asked).toMatchObject({ answered: false, error: { message: 'the queue did not answer within 0.005 s' } });
    expect(within?.aborted).toBe(true);
  });

  it('that is answered by an error is no end of the others', async () => {
    const asking = { signal: new AbortController().signal, onAsk: () => {} };
    const asked = await ask(asking, 'the queue', () => Promise.reject(new Error('no')));
    expect(asked).toMatchObject({ answered: false, error: { message: 'no' } });
  });

  it('ends everything where it is interrupted', async () => {
    const control = new AbortController();
    const asking = ask({ signal: control.signal, onAsk: () => {} }, 'the queue', () => NEVER);
    control.abort(new Error('Ctrl-C'));
    await expect(asking).rejects.toThrow('Ctrl-C');
  });
});
