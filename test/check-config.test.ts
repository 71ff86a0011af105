import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { printJsonSchema } from '../src/registry/schema.ts';

const COMMAND = join(import.meta.dirname, '../src/check-config.ts');

const BAD_REGISTRY = 'priceListVersion: test\nproviders: []\nextra: 1\n';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchyard-check-'));
  await writeFile(join(folder, 'bad.yaml'), BAD_REGISTRY);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command in a folder of its own, with nothing in the environment but `env`. */
function run({ args = [], env = {} }: { args?: readonly string[]; env?: Record<string, string> }): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [COMMAND, ...args], { cwd: folder, env, timeout: 20_000 }, (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}

describe('check-config', () => {
  test('without a file checks the environment and the default registry', async () => {
    const { code, stdout, stderr } = await run({ env: { GROQ_API_KEY: 'gsk-1' } });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('default.yaml: valid, price list seed-2025-11');
    expect(stdout).toMatch(/^openai +openai +gpt-5\.1 +20\.00 +20\.00 +100 +mock, as OPENAI_API_KEY is unset$/m);
    expect(stdout).toMatch(/^groq .* https:\/\/api\.groq\.com\/openai\/v1$/m);
    expect(stdout).not.toContain('gsk-1');
  });

  test('tells the faults of the environment and of the registry in one go', async () => {
    const { code, stdout } = await run({ env: { PORT: 'x', OPENAI_API_KEY: 'a b', SWITCHYARD_CONFIG: 'bad.yaml' } });
    expect(code).toBe(1);
    expect(stdout.split('\n')).toEqual([
      expect.stringContaining('environment: OPENAI_API_KEY'),
      expect.stringContaining('environment: PORT is "x"'),
      expect.stringContaining('bad.yaml:2:12 providers is an empty list'),
      'bad.yaml:3:1 extra is no field of the registry: remove or rename it',
      '4 to mend',
      '',
    ]);
  });

  test('tells the faults of variables that only the registry names', async () => {
    const { code, stdout } = await run({ env: { GROQ_API_KEY: 'two words' } });
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringContaining('environment: GROQ_API_KEY') });
  });

  test('of a file looks at that file alone', async () => {
    const { code, stdout } = await run({ args: ['bad.yaml'], env: { PORT: 'x' } });
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringMatching(/^bad\.yaml:2:12 .*\nbad\.yaml:3:1 /) });
  });

  test('says that a file is not there', async () => {
    const { code, stdout } = await run({ args: ['none.yaml'] });
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringMatching(/^none\.yaml:1:1 does not exist/) });
  });

  test('speaks to programs with --json', async () => {
    const good = await run({ args: ['--json'] });
    expect(good.code).toBe(0);
    expect(JSON.parse(good.stdout)).toMatchObject({
      isValid: true,
      priceListVersion: 'seed-2025-11',
      models: [{ provider: 'openai', model: 'gpt-5.1', inputUsdPerMillion: '20.00' }, {}, {}, {}],
      faults: [],
    });
    const bad = await run({ args: ['--json', 'bad.yaml'] });
    expect(bad.code).toBe(1);
    expect(JSON.parse(bad.stdout)).toMatchObject({
      isValid: false,
      faults: [
        { source: 'registry', file: 'bad.yaml', line: 2, column: 12, path: 'providers' },
        { source: 'registry', file: 'bad.yaml', line: 3, column: 1, path: 'extra' },
      ],
    });
  });

  test('prints the JSON Schema, and nothing else, with --print-schema', async () => {
    expect(await run({ args: ['--print-schema'] })).toEqual({ code: 0, stdout: printJsonSchema(), stderr: '' });
  });

  test('helps when asked', async () => {
    expect(await run({ args: ['--help'] })).toEqual({
      code: 0,
      stdout: expect.stringContaining('npm run check-config -- FILE'),
      stderr: '',
    });
  });

  test.each([[['--nope']], [['a.yaml', 'b.yaml']]])('ends with 2 when it is called as %j', async (args) => {
    const { code, stdout, stderr } = await run({ args });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('npm run check-config -- FILE');
  });
});
