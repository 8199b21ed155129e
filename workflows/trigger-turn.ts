import type { TriggerTurn } from '../schema/inputs/activities.ts';
import type { Loop } from './loop.ts';

/** How the turn of an intake of triggers is counted and told, whatever they come by. */
export const triggerTurn: Pick<Loop<TriggerTurn>, 'count' | 'note'> = {
  count: ({ messages, applied, superseded, ignored, deadLettered }) => ({
    messages,
    applied,
    superseded,
    ignored,
    'dead-lettered': deadLettered,
  }),
  note: ({ messages, applied, slowed }) =>
    `Last turn: ${messages} messages, ${applied} applied${slowed === undefined ? '' : `; ${slowed}`}.`,
};
