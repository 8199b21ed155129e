/** What a command's exit code says. `128 + n` is left to signals: 130 after Ctrl-C. */
export const EXIT = {
  good: 0,
  /** The answer is no: they differ, it is not there, it did not settle in time. */
  no: 1,
  failed: 3,
  wrongUse: 64,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
