import { text } from 'node:stream/consumers';
import { styleText } from 'node:util';
import { runSwitchyard } from './cli/commands.ts';
import { readEnvFile } from './wiring/env-file.ts';

process.exitCode = await runSwitchyard(process.argv.slice(2), {
  env: process.env,
  readEnvFile,
  print: (words) => void process.stdout.write(words),
  tell: (words) => void process.stderr.write(words),
  isPiped: !process.stdout.isTTY,
  readInput: () => text(process.stdin),
  paint: (style, words) => styleText(style, words, { stream: process.stdout }),
  onInterrupt(act) {
    process.on('SIGINT', act);
    return { [Symbol.dispose]: () => void process.off('SIGINT', act) };
  },
});
