import type { styleText } from 'node:util';

/** The process around a command: what it was told, and where it talks. */
export interface Shell {
  /** The environment as it is now. Only the parsers of settings look into it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Puts the settings of a file `.env` beside those of the environment. */
  readonly readEnvFile: () => void;
  /** Data, for programs and files. */
  readonly print: (text: string) => void;
  /** Talk, for the person beside. */
  readonly tell: (text: string) => void;
  /** Whether data goes to a program or a file, not to a screen. */
  readonly isPiped: boolean;
  /** What comes in, whole. */
  readonly readInput: () => Promise<string>;
  /** Colours what is printed, where it goes to a screen that wants colours: `NO_COLOR` and pipes have none. */
  readonly paint: (style: Parameters<typeof styleText>[0], text: string) => string;
  /** Calls `act` at each Ctrl-C, which then no longer ends the process. Disposing of it gives Ctrl-C back. */
  readonly onInterrupt: (act: () => void) => Disposable;
}
