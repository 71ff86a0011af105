import { runSwitchyard } from '../../src/cli/commands.ts';

/** How a command ended, and what it wrote. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command in this process, its output going to a program unless a terminal is asked for, with nothing in the environment but `env`. */
export async function runCommand(
  words: readonly string[],
  of: {
    readonly env?: Readonly<Record<string, string>>;
    readonly input?: string;
    /** Called when something is printed; `interrupt` is Ctrl-C. */
    readonly onPrint?: (interrupt: () => void) => void;
    /** Called once the command listens to Ctrl-C, with that. */
    readonly onListening?: (interrupt: () => void) => void;
    readonly isPiped?: boolean;
  } = {},
): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  let interrupt = () => {};
  const code = await runSwitchyard(words, {
    env: of.env ?? {},
    readEnvFile: () => undefined,
    print: (text) => {
      stdout += text;
      of.onPrint?.(interrupt);
    },
    tell: (text) => {
      stderr += text;
    },
    isPiped: of.isPiped ?? true,
    readInput: async () => of.input ?? '',
    paint: (_style, text) => text,
    onInterrupt: (act) => {
      interrupt = act;
      of.onListening?.(act);
      return {
        [Symbol.dispose]: () => {
          interrupt = () => {};
        },
      };
    },
  });
  return { code, stdout, stderr };
}
