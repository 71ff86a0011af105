import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { COMMANDS } from '../src/cli/commands.ts';
import { EXIT } from '../src/cli/exit-code.ts';
import type { Finding } from '../src/cli/finding.ts';
import { version } from '../src/wiring/version.ts';
import { runCommand } from './support/run-command.ts';

const page = readFileSync(new URL('../docs/cli.md', import.meta.url), 'utf8');
const names = Object.keys(COMMANDS);

test('docs/cli.md has every command and every exit code as the code has them, and no other', () => {
  const commands = Object.entries(COMMANDS).map(([name, { does }]) => `| \`${name}\` | ${does} |`);
  const codes = Object.entries(EXIT).map(([name, code]) => `| ${code} | \`${name}\` |`);
  expect(page.match(/^\| `[a-z-]+` \| .*$/gm)?.slice(0, commands.length)).toEqual(commands);
  expect(page.match(/^\| \d+ \| `\w+` \|/gm)).toEqual(codes);
  const parts: Record<Finding['part'], string> = {
    settings: '',
    database: '',
    clock: '',
    provider: '',
    prices: '',
    disk: '',
    port: '',
    access: '',
  };
  for (const part of Object.keys(parts))
    expect(page).toMatch(new RegExp(`^\\| \`${part}\` \\| whe|^\\| \`${part}\` \\| every`, 'm'));
});

test('every command helps on standard output, and takes no word or option that it does not know', async () => {
  for (const name of names) {
    const helped = await runCommand([name, '--help']);
    expect(helped).toMatchObject({ code: 0, stderr: '' });
    expect(helped.stdout).toContain(`switchyard ${name}`);
    const refused = await runCommand([name, '--nonsense']);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('--nonsense');
    expect(refused.stderr).toContain(helped.stdout);
    expect(await runCommand([name, 'a', 'b', 'c'])).toMatchObject({ code: 2, stdout: '' });
  }
  for (const name of names) expect((await runCommand(['--help'])).stdout).toContain(`\n  ${name} `);
});

test('the version is data, and a slip of the pen is answered with the nearest word', async () => {
  expect(await runCommand(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  const slips = [
    [['serv'], 'There is no command "serv"; did you mean serve?'],
    [['chec'], 'There is no command "chec"; did you mean check?'],
    [['check', '--jsn'], 'There is no option --jsn; did you mean json?'],
    [['keys', 'lst'], 'There is no command "lst"; did you mean list?'],
    [['keys', 'create', '--nam', 'x'], 'There is no option --nam; did you mean name?'],
    [['print-schema', 'referense'], 'There is no schema "referense"; did you mean reference?'],
    [['print-schema', 'constructor'], 'There is no schema "constructor".'],
    [['--pot=1'], 'There is no option --pot; did you mean port?'],
  ] as const;
  for (const [words, answer] of slips) {
    const { code, stdout, stderr } = await runCommand(words);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.split('\n')[0]).toBe(answer);
  }
});

test('whatever a command needs of the settings, 78 says that they cannot be right', async () => {
  const env = { PORT: 'x', SWITCHYARD_URL: 'x', DATABASE_URL: 'x' };
  for (const words of [['serve'], ['migrate'], ['check'], ['keys', 'list']]) {
    expect(await runCommand(words, { env })).toMatchObject({ code: 78 });
  }
});
