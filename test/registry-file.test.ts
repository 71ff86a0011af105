import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { CATEGORIES } from '../src/core/category.ts';
import { parseRegistry } from '../src/registry/parse.ts';
import { DEFAULT_REGISTRY_PATH, readRegistry } from '../src/registry/read.ts';
import { printJsonSchema } from '../src/registry/schema.ts';
import { faultsOf, registryOf, YAML } from './support/registry-yaml.ts';

const SCHEMA_FILE = new URL('../switchyard.schema.json', import.meta.url);
const DOCS = new URL('../docs/configuration.md', import.meta.url);

describe('a registry', () => {
  test('becomes providers in the order of the file, with absent fields filled in', () => {
    const { priceListVersion, providers } = registryOf(parseRegistry(YAML));
    expect(priceListVersion).toBe('test-1');
    expect(providers.map(({ models: _, ...provider }) => provider)).toEqual([
      { key: 'first', displayName: 'First', kind: 'openai', requestsPerMinute: 60, specialties: [] },
      { key: 'second', displayName: 'Second', kind: 'mock', requestsPerMinute: 10_000, specialties: [] },
    ]);
    expect(providers[0]!.models).toEqual([
      {
        name: 'big',
        aliases: ['fast'],
        price: { input: 2_500_000, output: 10_000_001, cachedInput: null, reasoning: null },
        contextWindow: 1000,
        maxOutputTokens: 100,
        capabilities: ['streaming'],
        unsupportedParameters: [],
        imageTokensMax: null,
        quality: 0.5,
        typicalLatencyMs: 200,
        typicalTokensPerSecond: 50,
      },
    ]);
    expect(providers[1]!.models[0]).toMatchObject({
      price: { input: 0, output: 1_000_000, cachedInput: 250_000, reasoning: 3_000_000 },
      unsupportedParameters: ['topP'],
      imageTokensMax: 1600,
    });
  });

  test('keeps how to reach providers apart from what they are', () => {
    expect(parseRegistry(YAML)).toMatchObject({
      connections: [
        { key: 'first', apiKeyEnv: 'FIRST_KEY', baseUrl: null, baseUrlEnv: null, areErrorsBilled: true },
        { key: 'second', apiKeyEnv: null, baseUrl: null, baseUrlEnv: null, areErrorsBilled: false },
      ],
    });
  });

  test.each([
    ['spaces', 2],
    ['tabs', '\t'],
    ['one line', undefined],
  ])('may be JSON with %s', (_, indent) => {
    const json = JSON.stringify({ $schema: './switchyard.schema.json', ...parse(YAML) }, null, indent);
    expect(parseRegistry(json)).toEqual(parseRegistry(YAML));
  });

  test('may share an alias among several providers', () => {
    expect(registryOf(parseRegistry(YAML)).providers.map(({ models }) => models[0]?.aliases)).toEqual([
      ['fast'],
      ['fast'],
    ]);
  });
});

describe('a registry file', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'switchyard-registry-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('is read as UTF-8, with or without a byte order mark', async () => {
    const path = join(folder, 'good.yaml');
    await writeFile(path, `\uFEFF${YAML.replace('displayName: Second', 'displayName: Zweiter Größe')}`);
    expect(registryOf(await readRegistry(path)).providers[1]?.displayName).toBe('Zweiter Größe');
  });

  test.each([
    ['missing.yaml', null, 'does not exist: check the path'],
    ['.', null, 'is no file'],
    ['latin.yaml', Buffer.from([0x61, 0x3a, 0xe4]), 'is not UTF-8 text'],
    ['huge.yaml', Buffer.alloc(1_000_001, '#'), 'has 1000001 bytes, but a registry has at most 1000000'],
  ])('%s that cannot be used is a fault', async (name, content, message) => {
    const path = join(folder, name);
    if (content !== null) await writeFile(path, content);
    const fault = { line: 1, column: 1, path: '', message: expect.stringContaining(message) };
    expect(faultsOf(await readRegistry(path))).toEqual([fault]);
  });
});

describe('the registry that comes with the service', async () => {
  const registry = registryOf(await readRegistry(DEFAULT_REGISTRY_PATH));

  test('keeps the two providers of the seed, and marks its prices as a demonstration', () => {
    expect(registry.priceListVersion).toBe('seed-2025-11');
    expect(registry.providers.slice(0, 2)).toMatchObject([
      {
        key: 'openai',
        kind: 'openai',
        requestsPerMinute: 100,
        specialties: ['code', 'analysis', 'writing'],
        models: [
          {
            name: 'gpt-5.1',
            price: { input: 20_000_000, output: 20_000_000 },
            unsupportedParameters: ['temperature', 'topP', 'presencePenalty', 'frequencyPenalty'],
            quality: 0.95,
            typicalLatencyMs: 200,
          },
        ],
      },
      {
        key: 'google',
        kind: 'gemini',
        requestsPerMinute: 150,
        specialties: ['writing', 'analysis'],
        models: [
          {
            name: 'gemini-pro',
            price: { input: 15_000_000, output: 15_000_000 },
            quality: 0.94,
            typicalLatencyMs: 250,
          },
        ],
      },
    ]);
  });

  test('lets the kind of prompt change who is cheapest, which the two of the seed never did', () => {
    const cheapest = CATEGORIES.map((category) => {
      const scores = registry.providers.map((provider) => {
        const weight = provider.specialties.includes(category) ? 0.9 : 1;
        return { key: provider.key, score: (provider.models[0]?.price.input ?? 0) * weight };
      });
      return [category, scores.toSorted((first, second) => first.score - second.score)[0]?.key];
    });
    expect(Object.fromEntries(cheapest)).toEqual({
      code: 'anthropic',
      writing: 'google',
      analysis: 'google',
      general: 'groq',
    });
  });

  test('names the schema for editors in its first line, and fits it', () => {
    const text = readFileSync(DEFAULT_REGISTRY_PATH, 'utf8');
    const named = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text)?.[1] ?? '';
    const schema = JSON.parse(readFileSync(join(DEFAULT_REGISTRY_PATH, '..', named), 'utf8'));
    const validate = new Ajv({ strict: false }).compile(schema);
    expect([validate(parse(text)), validate.errors]).toEqual([true, null]);
    expect(validate({ ...parse(text), extra: 1 })).toBe(false);
  });
});

describe('switchyard.schema.json', () => {
  test('says what the code checks', () => {
    const command = 'node src/main.ts print-schema registry > switchyard.schema.json';
    expect(readFileSync(SCHEMA_FILE, 'utf8'), `It drifted. Run: ${command}`).toBe(printJsonSchema());
  });
});

describe('docs/configuration.md', () => {
  test('tells every field of the registry as the schema has it', () => {
    const registry: Field = JSON.parse(printJsonSchema());
    const provider = registry.properties!.providers!.items!;
    const model = provider.properties!.models!.items!;
    const rows = readFileSync(DOCS, 'utf8').match(/^\| `[$a-z]\w+` \|.*$/gm);
    expect(rows).toEqual([registry, provider, model].flatMap(rowsOf));
  });
});

/** As much of a JSON Schema as the tables of the document tell. */
interface Field {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Field>>;
  readonly required?: readonly string[];
  readonly items?: Field;
  readonly anyOf?: readonly Field[];
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
}

function rowsOf(map: Field): readonly string[] {
  return Object.entries(map.properties ?? {}).map(([name, field]) => {
    const assumed = field.default === undefined ? 'no' : `no: \`${JSON.stringify(field.default)}\``;
    const needed = map.required?.includes(name) ? 'yes' : assumed;
    return `| \`${name}\` | ${needed} | ${boundsOf(field)} | ${field.description} |`;
  });
}

function boundsOf(field: Field): string {
  if (field.enum !== undefined) return field.enum.map((word) => `\`${word}\``).join(' ');
  if (field.items !== undefined) return `list: ${boundsOf(field.items)}`;
  if (field.anyOf?.[0] !== undefined) return boundsOf(field.anyOf[0]);
  return field.minimum === undefined ? `${field.type}` : `${field.type} ${field.minimum} to ${field.maximum}`;
}
