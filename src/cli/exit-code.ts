/** How every command ends. docs/cli.md explains them; a test compares the two. */
export const EXIT = {
  /** It is done. */
  ok: 0,
  /** It was understood, and could not be done. */
  failed: 1,
  /** It was called wrongly: nothing was done. */
  usage: 2,
  /** What is set in the environment or a file cannot be right: nothing was done (`EX_CONFIG` of sysexits.h). */
  badConfig: 78,
} as const;
