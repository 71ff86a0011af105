import fc from 'fast-check';
import { expect, test } from 'vitest';
import { apiKeyId, LEVELS, providerKey, requestId } from '../../src/core/ids.ts';
import {
  apiKeyGlobalId,
  breakerEventGlobalId,
  breakerSnapshotGlobalId,
  budgetGlobalId,
  modelGlobalId,
  parseGlobalId,
  providerGlobalId,
  requestGlobalId,
} from '../../src/graphql/global-id.ts';

const keys = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
const sequences = fc.integer({ min: 0, max: 999_999_999_999 });

test('every global id can be read again', () => {
  fc.assert(
    fc.property(fc.uuid(), keys, fc.stringMatching(/^[a-z0-9./:-]{1,30}$/), sequences, (uuid, key, model, sequence) => {
      const provider = providerKey(key);
      expect(parseGlobalId(requestGlobalId(requestId(uuid)))).toEqual({ kind: 'request', id: uuid });
      expect(parseGlobalId(providerGlobalId(provider))).toEqual({ kind: 'provider', key });
      expect(parseGlobalId(modelGlobalId({ provider, model }))).toEqual({ kind: 'model', provider, model });
      expect(parseGlobalId(apiKeyGlobalId(apiKeyId('Key000000001')))).toEqual({ kind: 'apiKey', id: 'Key000000001' });
      expect(parseGlobalId(breakerEventGlobalId(sequence))).toEqual({ kind: 'breakerEvent', sequence });
      expect(parseGlobalId(breakerSnapshotGlobalId(sequence, provider))).toEqual({
        kind: 'breakerSnapshot',
        sequence,
        provider,
      });
    }),
  );
});

test('a budget is named by its holder, whatever the holder is called', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 50 }),
      fc.constantFrom(...LEVELS),
      (id, level) => {
        fc.pre(!id.includes('\u0000'));
        expect(parseGlobalId(budgetGlobalId({ level, id }))).toEqual({ kind: 'budget', holder: { level, id } });
        expect(budgetGlobalId({ level: 'user', id })).toBe(`bud_${id}`);
      },
    ),
  );
});

test('breaker events sort by time as text, and a snapshot stands right behind the event it holds', () => {
  fc.assert(
    fc.property(sequences, sequences, keys, (first, second, key) => {
      fc.pre(first < second);
      expect(breakerEventGlobalId(first) < breakerEventGlobalId(second)).toBe(true);
      const snapshot = breakerSnapshotGlobalId(first, providerKey(key));
      expect(breakerEventGlobalId(first) < snapshot && snapshot < breakerEventGlobalId(second)).toBe(true);
    }),
  );
});

test.each([
  '',
  'req_',
  'req_123',
  'prov_',
  'model_openai',
  'bud_',
  'key_',
  'sy_Key000000001',
  'bev_42',
  'bev_1234567890123',
  'user_1',
  'bud_\u0000',
  `bud_${'x'.repeat(600)}`,
])('the text "%s" is no id of ours', (text) => {
  expect(parseGlobalId(text)).toBeNull();
});
