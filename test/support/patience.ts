/** Longer than any machine needs for what a test waits for, and shorter than the rests that a test has workflows make. */
export const PATIENCE_MS = 45_000;
