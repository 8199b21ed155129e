import { describe, expect, it } from 'vitest';
import { ensureError, IsthmusError, messageOf } from '../../schema/errors.ts';

const refused = (tracking: string) =>
  Object.assign(new Error(`InvalidSignature: no such key. TrackingId:${tracking}, Timestamp:2026-11-22`), {
    code: 'UnauthorizedAccess',
  });

describe('why something failed', () => {
  it.each([
    ['a message', new Error('no such key')],
    ['no error', 'no such key'],
    ['what AMQP tells of a link', { condition: 'amqp:unauthorized-access', description: 'no such key' }],
    ['an error without a message around another', new Error('', { cause: new Error('no such key') })],
    ['a code alone', Object.assign(new Error(''), { code: 'no such key' })],
    ['a condition alone', Object.assign(new Error(''), { condition: 'no such key' })],
    ['one of ours', new IsthmusError('ISTHMUS_USAGE', 'no such key')],
    ['tries inside tries', new AggregateError([new AggregateError([new Error('no such key')])])],
  ])('is told in words: %s', (_, thrown) => {
    expect(messageOf(thrown)).toBe('no such key');
  });

  it('is told once where a client tried several times, whatever Azure calls each of them', () => {
    const tries = new AggregateError(['a', 'b', 'c'].map(refused));
    expect(messageOf(tries)).toBe('InvalidSignature: no such key. TrackingId:c, Timestamp:2026-11-22');
  });

  it('is told of each address of which it differs', () => {
    expect(messageOf(new AggregateError([new Error('v6 refused'), new Error('v4 refused')]))).toBe(
      'v6 refused; v4 refused',
    );
  });

  it('is told of each of several of which all were needed to fail, and not only that they did', async () => {
    const tried = Promise.any([Promise.reject(new Error('v6 refused')), Promise.reject(new Error('v4 refused'))]);
    const thrown = await tried.catch((error: unknown) => error);
    expect(messageOf(thrown)).toBe('All promises were rejected: v6 refused; v4 refused');
  });

  it('is told once by an error that has put the messages of those inside it into its own', () => {
    const message = 'No credential could be had.\nno such key';
    expect(messageOf(Object.assign(new Error(message), { errors: [new Error('no such key')] }))).toBe(message);
  });

  it('is told of an error that is its own cause, or one of its own tries', () => {
    const looped = new TypeError('');
    looped.cause = looped;
    const tries = new AggregateError([]);
    tries.errors.push(tries, tries);
    expect([messageOf(looped), messageOf(tries)]).toEqual(['TypeError', 'AggregateError']);
  });

  it('is told by an error made of what is none', () => {
    const thrown = { condition: 'amqp:unauthorized-access', description: 'no such key' };
    expect([ensureError(thrown).message, ensureError('gone').message]).toEqual(['no such key', 'gone']);
  });

  it.each([new Error(''), new AggregateError([]), {}, undefined, null])('is never empty: %o', (thrown) => {
    expect(messageOf(thrown)).not.toBe('');
  });
});
