import type { Figures } from './story.ts';

/** One line for people: `blobs 2454, stubP50Ms 310`. A digest is shown by its first digits. */
export function formatFigures(figures: Figures): string {
  return Object.entries(figures)
    .map(
      ([name, value]) =>
        `${name} ${typeof value === 'string' && value.length === 64 ? `${value.slice(0, 12)}…` : value}`,
    )
    .join(', ');
}
