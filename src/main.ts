import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { styleText } from 'node:util';
import { runSwitchyard } from './cli/commands.ts';
import { readEnvFile } from './wiring/env-file.ts';

// What was compiled is kept for the next start, which is a quarter less work then. At home, since what lies in a folder for
// all, as Node's own choice would be, others could replace. Where it cannot be written nothing is kept, and nothing is amiss.
enableCompileCache(join(homedir(), '.cache', 'switchyard'));

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
