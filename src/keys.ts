import { KEYS_HELP, parseKeysCommand } from './cli/keys-command.ts';
import { runKeys } from './cli/run-keys.ts';
import { parseClientConfig } from './client-config.ts';
import { readEnvFile } from './wiring/env-file.ts';
import { SYSTEM_CLOCK } from './wiring/system.ts';

const EXIT = { done: 0, failed: 1, usage: 2 } as const;

process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  const command = parseKeysCommand(words, SYSTEM_CLOCK.now());
  if (command.kind === 'help') {
    process.stdout.write(KEYS_HELP);
    return EXIT.done;
  }
  if (command.kind === 'usage') {
    process.stderr.write(`${command.message}\n\n${KEYS_HELP}`);
    return EXIT.usage;
  }
  readEnvFile();
  const parsed = parseClientConfig(process.env);
  if (parsed.kind === 'invalid') {
    process.stderr.write(`${parsed.faults.join('\n')}\n`);
    return EXIT.usage;
  }
  const { isDone, output, note } = await runKeys(command, parsed.config, {
    isPiped: !process.stdout.isTTY,
    nowMs: SYSTEM_CLOCK.now(),
  });
  process.stderr.write(note);
  process.stdout.write(output);
  return isDone ? EXIT.done : EXIT.failed;
}
