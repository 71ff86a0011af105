import { randomUUID } from 'node:crypto';
import { parseClientConfig } from '../client-config.ts';
import { SYSTEM_CLOCK } from '../wiring/system.ts';
import { runChat } from './chat-run.ts';
import { type Command, complain, readWords } from './command.ts';
import { EXIT } from './exit-code.ts';

const HELP = `Usage: switchyard chat [OPTIONS] PROMPT

Asks a running gateway and shows the answer as it comes; then, on standard error, who answered, what it cost, and why. With - as the
prompt it is read from standard input. Ctrl-C stops the answer, and tells what was spent on it.

  --model NAME     a model, an alias, or PROVIDER/MODEL; without it the gateway chooses
  --user USER      whose money it spends
  --system TEXT    an instruction before the prompt
  --json           one object at the end, for programs

The gateway is at SWITCHYARD_URL, or on this machine at PORT; the command comes with SWITCHYARD_KEY, or on this machine with ADMIN_KEY.
A connection that breaks is made again, and the answer goes on where it was: it is asked and paid for once.
`;

const OPTIONS = {
  model: { type: 'string' },
  user: { type: 'string' },
  system: { type: 'string' },
  json: { type: 'boolean' },
} as const;

export const COMMAND: Command = {
  help: HELP,
  async run(words, shell) {
    const read = readWords(words, { options: OPTIONS, restMax: 1, help: HELP, shell });
    if (read.kind === 'ended') return read.code;
    const { model, user, system, json } = read.values;
    const [word] = read.rest;
    if (word === undefined) return complain('Say what to ask: switchyard chat "PROMPT".', { help: HELP, shell });
    shell.readEnvFile();
    const parsed = parseClientConfig(shell.env);
    if (parsed.kind === 'invalid') {
      shell.tell(`${parsed.faults.join('\n')}\n`);
      return EXIT.badConfig;
    }
    const input = {
      prompt: word === '-' ? await shell.readInput() : word,
      ...(model === undefined ? {} : { model }),
      ...(user === undefined ? {} : { userId: user }),
      ...(system === undefined ? {} : { system }),
      idempotencyKey: randomUUID(),
    };
    const isDone = await runChat({ gateway: parsed.config, input, isJson: json === true, shell, clock: SYSTEM_CLOCK });
    return isDone ? EXIT.ok : EXIT.failed;
  },
};
