import { didYouMean } from '../registry/wording.ts';
import { version } from '../wiring/version.ts';
import type { Command } from './command.ts';
import { EXIT } from './exit-code.ts';
import type { Shell } from './shell.ts';

/** Every command. Each is loaded when it is called: a question for help must not wait for the whole service. */
export const COMMANDS = {
  serve: { does: 'serves the gateway; what is done without a word', load: async () => import('./serve.ts') },
  demo: {
    does: 'serves it with mocks and traffic, so that there is something to see',
    load: async () => import('./demo.ts'),
  },
  check: {
    does: 'finds what is wrong before a start, and says how to mend it',
    load: async () => import('./check.ts'),
  },
  migrate: { does: 'brings the database to the schema of this version', load: async () => import('./migrate.ts') },
  keys: {
    does: 'makes, lists, replaces and ends API keys of a running gateway',
    load: async () => import('./keys.ts'),
  },
  chat: { does: 'asks a running gateway, and shows the answer as it comes', load: async () => import('./chat.ts') },
  'print-schema': {
    does: 'prints the GraphQL schema, its reference, or the schema of registry files',
    load: async () => import('./print-schema.ts'),
  },
} as const satisfies Record<string, { does: string; load: () => Promise<{ readonly COMMAND: Command }> }>;

const NAME_COLUMNS = 14;

export const HELP = `Usage: switchyard [COMMAND] [OPTIONS]

${Object.entries(COMMANDS)
  .map(([name, { does }]) => `  ${name.padEnd(NAME_COLUMNS)}${does}\n`)
  .join('')}
  switchyard COMMAND --help tells the options of a command, switchyard --version the version.

In a checkout \`npm start --\` and \`npx switchyard\` are the same as \`switchyard\`. Settings are environment variables, or stand in a
file .env; docs/configuration.md lists them. Ends with 0 when all is well, 1 when something failed, 2 when it was called wrongly,
78 when what is set cannot be right.
`;

/** Does what the words of a command line say. Answers the exit code. */
export async function runSwitchyard(words: readonly string[], shell: Shell): Promise<number> {
  const [first = 'serve', ...rest] = words;
  if (first === '--help' || first === '-h' || first === 'help') return say(HELP, shell);
  if (first === '--version' || first === '-v') return say(`${version}\n`, shell);
  const name = first.startsWith('-') ? 'serve' : nameOf(first);
  if (name === null) {
    const asked = `There is no command "${first}"${didYouMean(first, Object.keys(COMMANDS))}`;
    shell.tell(`${asked}\n\n${HELP}`);
    return EXIT.usage;
  }
  const { COMMAND } = await COMMANDS[name].load();
  return COMMAND.run(first.startsWith('-') ? words : rest, shell);
}

function nameOf(word: string): keyof typeof COMMANDS | null {
  return isName(word) ? word : null;
}

function isName(word: string): word is keyof typeof COMMANDS {
  return Object.hasOwn(COMMANDS, word);
}

function say(text: string, shell: Shell): number {
  shell.print(text);
  return EXIT.ok;
}
