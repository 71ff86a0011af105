import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseRegistry } from '../src/registry/parse.ts';
import { edited, faultsOf, print } from './support/registry-yaml.ts';

/** One fault each: what is changed, and what is said about it, from its place to how it is mended. */
const FAULTS: readonly (readonly [from: string, to: string, fault: string])[] = [
  [
    '  - key: second',
    '  - key: first',
    '20:10 providers[1].key repeats "first" of providers[0].key; a key must be unique',
  ],
  ['key: first', 'key: First', '3:10 providers[0].key is "First", but must be a slug of lower-case'],
  ['kind: openai', 'kind: opanai', 'did you mean openai?'],
  ['    kind: openai\n', '', '3:5 providers[0].kind is missing: add one of openai, anthropic'],
  ['kind: openai', 'kind:', '5:10 providers[0].kind is empty: give it one of openai'],
  [
    'kind: openai',
    'kind: openaiCompatible',
    '3:5 providers[0].baseUrl is missing: the kind openaiCompatible needs the address',
  ],
  [
    '    apiKeyEnv: FIRST_KEY\n',
    '',
    '3:5 providers[0].apiKeyEnv is missing: the kind openai needs the name of a variable',
  ],
  ['kind: mock', 'kind: mock\n    apiKeyEnv: A_KEY', '23:16 providers[1].apiKeyEnv does not go with the kind mock'],
  [
    'apiKeyEnv: FIRST_KEY',
    'apiKeyEnv: sk-1',
    '6:16 providers[0].apiKeyEnv must be the name of an environment variable',
  ],
  [
    'apiKeyEnv: FIRST_KEY',
    'apiKeyEnv: K\n    baseUrl: x.com',
    '7:14 providers[0].baseUrl must be an http:// or https:// URL',
  ],
  [
    'apiKeyEnv: FIRST_KEY',
    'apiKeyEnv: K\n    baseUrl: https://',
    'providers[0].baseUrl must be an http:// or https:// URL',
  ],
  [
    'PerMinute: 60',
    'PerMinute: 0',
    '7:24 providers[0].requestsPerMinute is 0, but must be a whole number from 1 to 10000',
  ],
  [
    'PerMinute: 10000',
    'PerMinute: 10001',
    'providers[1].requestsPerMinute is 10001, but must be a whole number from 1',
  ],
  ['PerMinute: 60', 'PerMinute: 6.5', 'providers[0].requestsPerMinute is 6.5, but must be a whole number from 1'],
  [
    '    requestsPerMinute: 60\n',
    '',
    '3:5 providers[0].requestsPerMinute is missing: add a whole number from 1 to 10000',
  ],
  [
    'specialties: []',
    'specialties: [coding]',
    '8:19 providers[0].specialties[0] is "coding", but must be one of code, writing',
  ],
  ['specialties: []', 'specialties: [writting]', 'did you mean writing?'],
  [
    'specialties: []',
    'specialities: []',
    '8:5 providers[0].specialities is no field of a provider: remove or rename it; did you mean specialties?',
  ],
  [
    'areErrorsBilled: false',
    'areErrorsBilled: no',
    '23:22 providers[1].areErrorsBilled is "no", but must be true or false',
  ],
  [
    'aliases: [fast]',
    'aliases: [big]',
    '11:19 providers[0].models[0].aliases[0] repeats "big" of providers[0].models[0].name',
  ],
  [
    'aliases: [fast]',
    'aliases: [a, b, a]',
    '11:25 providers[0].models[0].aliases[2] repeats "a" of providers[0].models[0].aliases[0]',
  ],
  [
    'aliases: [fast]',
    'aliases: [auto]',
    '11:19 providers[0].models[0].aliases[0] is "auto", but must be a name without "/"',
  ],
  [
    'aliases: [fast]',
    'aliases: [a/b]',
    '11:19 providers[0].models[0].aliases[0] is "a/b", but must be a name without "/"',
  ],
  ['name: big', 'name: auto', '10:15 providers[0].models[0].name is "auto", but must be the exact name'],
  ['name: big', 'name: 5.1', '10:15 providers[0].models[0].name is 5.1, but must be the exact name'],
  [
    'Million: 2.5',
    'Million: -2.5',
    '12:29 providers[0].models[0].inputUsdPerMillion is -2.5, but must be US dollars per million tokens',
  ],
  ['Million: 2.5', 'Million: 0.0000001', 'inputUsdPerMillion is 1e-7, but must be US dollars per million tokens'],
  ['Million: 2.5', 'Million: 2.1234567', 'inputUsdPerMillion is 2.1234567, but must be US dollars per million tokens'],
  ['Million: 2.5', 'Million: $2.50', 'inputUsdPerMillion is "$2.50", but must be US dollars per million tokens'],
  ['Million: 2.5', 'Million: "2,5"', 'inputUsdPerMillion is "2,5", but must be US dollars per million tokens'],
  ['Million: 2.5', 'Million: 10000.5', 'inputUsdPerMillion is 10000.5, but must be US dollars per million tokens'],
  ['Million: 2.5', 'Million: "10000.5"', 'inputUsdPerMillion is "10000.5", but must be US dollars per million tokens'],
  ['Million: 2.5', 'Million: .inf', 'inputUsdPerMillion is Infinity, but must be US dollars per million tokens'],
  ['Million: 2.5', 'Million: .nan', 'inputUsdPerMillion is NaN, but must be US dollars per million tokens'],
  ['Million: 2.5', 'Million: [2]', 'inputUsdPerMillion is a list of 1, but must be US dollars per million tokens'],
  [
    'contextWindow: 1000',
    'contextWindow: 99',
    '15:26 providers[0].models[0].maxOutputTokens is 100, but the contextWindow',
  ],
  [
    'capabilities: [streaming]',
    'capabilities: [sreaming]',
    '16:24 providers[0].models[0].capabilities[0] is "sreaming", but must',
  ],
  [
    'capabilities: [streaming]',
    'capabilities: [vision]',
    '10:9 providers[0].models[0].imageTokensMax is missing: a model with the capability vision must state',
  ],
  [
    'capabilities: [vision]',
    'capabilities: []',
    '36:25 providers[1].models[0].imageTokensMax does not go with a model without',
  ],
  [
    'unsupportedParameters: [topP]',
    'unsupportedParameters: [top_p]',
    '35:33 providers[1].models[0].unsupportedParameters[0] is "top_p", but must be one of temperature, topP, presencePenalty, frequencyPenalty, stop, seed, reasoningEffort, parallelToolCalls, jsonObject; did you mean topP?',
  ],
  ['quality: 0.5', 'quality: 1.5', '17:18 providers[0].models[0].quality is 1.5, but must be a number from 0 to 1'],
  [
    'typicalLatencyMs: 200',
    'typicalLatencyMs: 0',
    'typicalLatencyMs is 0, but must be a whole number from 1 to 600000',
  ],
  [
    'typicalTokensPerSecond: 50',
    'typicalTokensPerSecond: 0',
    'typicalTokensPerSecond is 0, but must be a number from 0.1',
  ],
  ['priceListVersion: test-1\n', '', '1:1 priceListVersion is missing: add a name without white space'],
  ['providers:', 'prov: 1\nproviders:', '2:1 prov is no field of the registry: remove or rename it'],
  ['kind: openai', 'kind: openai\n    kind: gemini', '6:5  the same key stands twice in this map: remove one of them'],
  ['aliases: [fast]', 'aliases: *none', '11:18  *none has no anchor &none before it'],
  ['aliases: [fast]', 'aliases: !list [fast]', '11:18  is not valid YAML or JSON: Unresolved tag'],
  ['aliases: [fast]', 'aliases: [fast', 'is not valid YAML or JSON'],
  ['providers:', '---\nproviders:', 'a second document begins here'],
];

describe('a faulty registry', () => {
  test.each(FAULTS)('tells what %j made into %j breaks', (from, to, fault) => {
    const printed = faultsOf(parseRegistry(edited([from, to]))).map(print);
    expect(printed).not.toEqual([]);
    expect(printed.filter((line) => line.includes(fault))).toHaveLength(printed.length);
    // Broken syntax may be told in several ways; all else exactly once.
    if (!fault.includes('is not valid YAML')) expect(printed).toHaveLength(1);
  });

  test('tells all its faults at once, in the order of its lines', () => {
    const text = edited(
      ['key: first', 'key: FIRST'],
      ['kind: openai', 'kind: openay'],
      ['requestsPerMinute: 60', 'rpm: 60'],
      ['aliases: [fast]', 'aliases: [auto, big]'],
      ['contextWindow: 1000', 'contextWindow: 10'],
      ['quality: 0.5', 'quality: high'],
      ['outputUsdPerMillion: 1\n', 'outputUsdPerMillion: -1\n'],
      ['        imageTokensMax: 1600\n', ''],
    );
    const places = faultsOf(parseRegistry(text)).map(({ line, column, path }) => `${line}:${column} ${path}`);
    expect(places).toEqual([
      '3:5 providers[0].requestsPerMinute',
      '3:10 providers[0].key',
      '5:11 providers[0].kind',
      '7:5 providers[0].rpm',
      '11:19 providers[0].models[0].aliases[0]',
      '11:25 providers[0].models[0].aliases[1]',
      '15:26 providers[0].models[0].maxOutputTokens',
      '17:18 providers[0].models[0].quality',
      '26:9 providers[1].models[0].imageTokensMax',
      '29:30 providers[1].models[0].outputUsdPerMillion',
    ]);
  });

  test('of JSON has lines too', () => {
    const json = JSON.stringify(parse(edited(['quality: 0.5', 'quality: 5'], ['kind: mock', 'kind: mok'])), null, 2);
    expect(faultsOf(parseRegistry(json)).map(print)).toEqual([
      expect.stringMatching(/^24:22 providers\[0\]\.models\[0\]\.quality is 5/),
      expect.stringMatching(/^33:15 providers\[1\]\.kind is "mok".*did you mean mock\?$/),
    ]);
  });

  test.each([
    ['', '1:1  is empty: give it a map with priceListVersion and providers'],
    ['# nothing\n', 'is empty: give it a map with priceListVersion and providers'],
    ['- a', '1:1  is a list of 1, but must be a map'],
    ['just words', '1:1  is "just words", but must be a map'],
    ['priceListVersion: a\nproviders: []', '2:12 providers is an empty list, but must be a list of 1 to 100 providers'],
    ['priceListVersion: a\nproviders: [x]', '2:13 providers[0] is "x", but must be a map that describes a provider'],
  ])('that is none (%j) is told so', (text, fault) => {
    expect(faultsOf(parseRegistry(text)).map(print).join('\n')).toContain(fault);
  });

  test('does not repeat a key that was pasted in by mistake', () => {
    const text = edited([
      'apiKeyEnv: FIRST_KEY',
      'apiKeyEnv: sk-hunter2\n    baseUrl: https://me:hunter2@x.com\n    key2: hunter2',
    ]);
    expect(faultsOf(parseRegistry(text))).toHaveLength(3);
    expect(JSON.stringify(faultsOf(parseRegistry(text)))).not.toContain('hunter2');
  });

  test('stays small, however it is blown up', () => {
    const many = `a: &a [1]\nb: [${'*a, '.repeat(200)}]\n`;
    expect(faultsOf(parseRegistry(many)).map(print)).toEqual([expect.stringContaining('is one YAML alias too many')]);
    expect(faultsOf(parseRegistry(`a:\n${'  - [\n'.repeat(20_000)}`)).length).toBeLessThanOrEqual(100);
  });

  test('of any text whatever is told, never thrown', () => {
    const word = fc.constantFrom(
      'providers',
      'models',
      ':',
      '- ',
      '\n',
      '  ',
      '[',
      ']',
      '{',
      '}',
      '&a ',
      '*a',
      '"',
      '1',
      'key',
      '<<',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(word).map((words) => words.join('')),
        ),
        (text) => {
          expect(faultsOf(parseRegistry(text)).length).toBeGreaterThan(0);
        },
      ),
    );
  });
});
