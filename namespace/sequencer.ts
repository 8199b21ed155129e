declare const brand: unique symbol;

/**
 * What orders the changes of one blob: 48 lower-case hex digits, so that comparing two as text (or as 24
 * bytes) compares them as numbers. Comparable only between events of the same key.
 */
export type Sequencer = string & { readonly [brand]: 'Sequencer' };

const DIGITS = 48;

/**
 * Normalises a sequencer as Azure prints it. Real ones mix case within one value, and old ones have 32
 * digits; those are smaller, so the zeros go to the left.
 *
 * @returns undefined where the text is no sequencer (empty, not hex, too long): such a change has no clock.
 */
export function parseSequencer(text: string): Sequencer | undefined {
  if (text.length === 0 || text.length > DIGITS || !/^[0-9a-fA-F]+$/.test(text)) return undefined;
  return text.toLowerCase().padStart(DIGITS, '0') as Sequencer;
}

/** Negative where `a` is older, zero where they are equal, positive where `a` is newer. */
export function compareSequencers(a: Sequencer, b: Sequencer): -1 | 0 | 1 {
  return a === b ? 0 : a < b ? -1 : 1;
}
