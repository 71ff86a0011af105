import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { didYouMean } from '../registry/wording.ts';
import { EXIT } from './exit-code.ts';
import type { Shell } from './shell.ts';

/** One word of the command line: `switchyard NAME`. */
export interface Command {
  readonly help: string;
  /** Answers the exit code, once all is done. */
  readonly run: (words: readonly string[], shell: Shell) => Promise<number>;
}

type Values<Options extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ options: Options; allowPositionals: true }>
>['values'];

type Words<Options extends ParseArgsOptionsConfig> =
  | { readonly kind: 'read'; readonly values: Values<Options>; readonly rest: readonly string[] }
  /** All is said: help was asked for, or the words were wrong. */
  | { readonly kind: 'ended'; readonly code: number };

/** Reads what follows the name of a command. `restMax` is how many words it takes that are no options. */
export function readWords<const Options extends ParseArgsOptionsConfig>(
  words: readonly string[],
  of: { readonly options: Options; readonly restMax: number; readonly help: string; readonly shell: Shell },
): Words<Options> {
  const { shell, help, options } = of;
  if (words.includes('--help') || words.includes('-h')) {
    shell.print(help);
    return { kind: 'ended', code: EXIT.ok };
  }
  try {
    const { values, positionals } = parseArgs({ args: [...words], options, allowPositionals: true });
    if (positionals.length <= of.restMax) return { kind: 'read', values, rest: positionals };
    return { kind: 'ended', code: complain(`"${positionals[of.restMax]}" is a word too many.`, of) };
  } catch (error) {
    return { kind: 'ended', code: complain(wordFault(error, Object.keys(options)), of) };
  }
}

/** Tells what was wrong with the words, and how they are right. */
export function complain(message: string, { help, shell }: { readonly help: string; readonly shell: Shell }): number {
  shell.tell(`${message}\n\n${help}`);
  return EXIT.usage;
}

/** What `parseArgs` found wrong. An option that is not among the known ones is answered with the nearest. */
export function wordFault(error: unknown, known: readonly string[]): string {
  const message = error instanceof Error ? error.message : String(error);
  const [, name] = /^Unknown option '--([^']+)'/.exec(message) ?? [];
  // Node goes on about words that begin with a dash, which nobody asked about.
  return name === undefined ? message : `There is no option --${name}${didYouMean(name, known)}`;
}
