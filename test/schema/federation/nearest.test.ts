import { describe, expect, it } from 'vitest';
import { nearest } from '../../../schema/federation/nearest.ts';

describe('the nearest word', () => {
  it.each([
    ['retenion', ['retention', 'rules'], 'retention'],
    ['ruels', ['retention', 'rules'], 'rules'],
    ['SERVICEBUS', ['serviceBus', 'changeFeed'], 'serviceBus'],
    ['x', ['y'], 'y'],
    ['colour', ['rules', 'sinks'], undefined],
    ['anything', [], undefined],
  ])('to %s among %j is %s', (word, candidates, expected) => {
    expect(nearest(word, candidates)).toBe(expected);
  });
});
