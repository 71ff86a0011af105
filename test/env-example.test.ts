import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { expect, test } from 'vitest';
import { parseConfig } from '../src/config.ts';
import { DEFAULT_REGISTRY_PATH, readRegistry } from '../src/registry/read.ts';
import type { Setting } from '../src/settings/setting.ts';
import { SETTINGS } from '../src/settings.ts';

const text = readFileSync(join(import.meta.dirname, '..', '.env.example'), 'utf8');
const settings: readonly Setting<unknown>[] = Object.values(SETTINGS);

/** Each variable that is written down, with the line above it. */
const entries = [...text.matchAll(/^# (.+)\n#([A-Z_]+)=(.*)$/gm)].map(([, meaning, name, value]) => ({
  meaning,
  name,
  value,
}));

test('.env.example has every setting with its meaning and its default, and nothing else but what the default registry names', async () => {
  const read = await readRegistry(DEFAULT_REGISTRY_PATH);
  if (read.kind !== 'valid') throw new Error('the default registry is not valid');
  const known = settings.map(({ name, meaning, default: assumed }) => ({ name, meaning, value: assumed ?? '' }));
  const named = read.connections
    .flatMap(({ apiKeyEnv, baseUrlEnv }) => [apiKeyEnv, baseUrlEnv])
    .filter((name) => name !== null && !settings.some((setting) => setting.name === name));
  expect(entries.slice(0, known.length)).toEqual(known);
  expect(entries.slice(known.length)).toEqual(
    named.map((name) => ({ name, meaning: expect.stringContaining('`'), value: '' })),
  );
});

test('.env.example sets nothing as it is, and taking every # away changes nothing', () => {
  expect(parseEnv(text)).toEqual({});
  const taken = parseEnv(text.replaceAll(/^#(?=[A-Z_]+=)/gm, ''));
  expect(Object.keys(taken)).toHaveLength(entries.length);
  const { variable: _taken, ...config } = validConfig(taken);
  const { variable: _unset, ...assumed } = validConfig({});
  expect(config).toEqual(assumed);
});

function validConfig(env: NodeJS.Dict<string>) {
  const parsed = parseConfig(env);
  if (parsed.kind !== 'valid') throw new Error(parsed.faults.map((fault) => fault.message).join('\n'));
  return parsed.config;
}
