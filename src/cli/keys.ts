import { parseClientConfig } from '../client-config.ts';
import { SYSTEM_CLOCK } from '../wiring/system.ts';
import { type Command, complain } from './command.ts';
import { EXIT } from './exit-code.ts';
import { KEYS_HELP, parseKeysCommand } from './keys-command.ts';
import { runKeys } from './run-keys.ts';

export const COMMAND: Command = {
  help: KEYS_HELP,
  async run(words, shell) {
    const command = parseKeysCommand(words, SYSTEM_CLOCK.now());
    if (command.kind === 'help') {
      shell.print(KEYS_HELP);
      return EXIT.ok;
    }
    if (command.kind === 'usage') return complain(command.message, { help: KEYS_HELP, shell });
    shell.readEnvFile();
    const parsed = parseClientConfig(shell.env);
    if (parsed.kind === 'invalid') {
      shell.tell(`${parsed.faults.join('\n')}\n`);
      return EXIT.badConfig;
    }
    const { isPiped } = shell;
    const { isDone, output, note } = await runKeys(command, parsed.config, { isPiped, nowMs: SYSTEM_CLOCK.now() });
    shell.tell(note);
    shell.print(output);
    return isDone ? EXIT.ok : EXIT.failed;
  },
};
