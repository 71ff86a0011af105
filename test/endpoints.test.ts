import { describe, expect, test } from 'vitest';
import { parseConfig } from '../src/config.ts';
import { type EndpointsResult, parseEndpoints } from '../src/registry/endpoints.ts';
import { parseRegistry } from '../src/registry/parse.ts';

const model = {
  name: 'big',
  inputUsdPerMillion: 1,
  outputUsdPerMillion: 1,
  contextWindow: 100,
  maxOutputTokens: 10,
  capabilities: [],
  quality: 1,
  typicalLatencyMs: 1,
  typicalTokensPerSecond: 1,
};
const rest = { displayName: 'Name', requestsPerMinute: 60, models: [model] };
const REGISTRY = JSON.stringify({
  priceListVersion: 'test',
  providers: [
    { key: 'openai', kind: 'openai', apiKeyEnv: 'OPENAI_API_KEY', baseUrlEnv: 'OPENAI_BASE_URL', ...rest },
    {
      key: 'groq',
      kind: 'openaiCompatible',
      apiKeyEnv: 'GROQ_API_KEY',
      baseUrl: 'https://groq.example/v1',
      baseUrlEnv: 'GROQ_URL',
      areErrorsBilled: false,
      ...rest,
    },
    { key: 'own', kind: 'openaiCompatible', baseUrl: 'http://localhost:8000/v1', ...rest },
    { key: 'fake', kind: 'mock', ...rest },
  ],
});

function endpointsIn(env: Record<string, string>): EndpointsResult {
  const config = parseConfig(env);
  const registry = parseRegistry(REGISTRY);
  if (config.kind === 'invalid' || registry.kind === 'invalid') throw new Error('the fixture is faulty');
  return parseEndpoints({ ...registry, variable: config.config.variable });
}

describe('endpoints', () => {
  test("are mocks while their keys are missing; a server of one's own needs none", () => {
    expect(endpointsIn({})).toEqual({
      kind: 'valid',
      endpoints: [
        { kind: 'mock', key: 'openai', missingVariable: 'OPENAI_API_KEY' },
        { kind: 'mock', key: 'groq', missingVariable: 'GROQ_API_KEY' },
        { kind: 'real', key: 'own', apiKey: null, baseUrl: 'http://localhost:8000/v1', areErrorsBilled: true },
        { kind: 'mock', key: 'fake', missingVariable: null },
      ],
    });
  });

  test('are real with their keys, and the environment wins over the file', () => {
    const keys = { OPENAI_API_KEY: 'sk-1', GROQ_API_KEY: 'gsk-2', GROQ_URL: 'http://127.0.0.1:1/v1/' };
    expect(endpointsIn(keys)).toMatchObject({
      kind: 'valid',
      endpoints: [
        { kind: 'real', key: 'openai', apiKey: 'sk-1', baseUrl: null, areErrorsBilled: true },
        { kind: 'real', key: 'groq', apiKey: 'gsk-2', baseUrl: 'http://127.0.0.1:1/v1', areErrorsBilled: false },
        { kind: 'real', key: 'own' },
        { kind: 'mock', key: 'fake' },
      ],
    });
  });

  test('tell all faults of the variables that the registry names, without their values', () => {
    const result = endpointsIn({ GROQ_API_KEY: 'two words', GROQ_URL: 'groq.example' });
    expect(result).toEqual({
      kind: 'invalid',
      faults: [
        { name: 'GROQ_API_KEY', message: expect.stringContaining('must be printable ASCII') },
        { name: 'GROQ_URL', message: expect.stringContaining('must be an http:// or https:// URL') },
      ],
    });
    expect(JSON.stringify(result)).not.toContain('two words');
  });
});
