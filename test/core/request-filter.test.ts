import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NO_FILTER, type RequestFilter } from '../../src/core/analytics.ts';
import { apiKeyId, providerKey } from '../../src/core/ids.ts';
import { picoUsd } from '../../src/core/money.ts';
import { isMatch, isNoCondition } from '../../src/core/request-filter.ts';
import { epochMs } from '../../src/core/time.ts';
import { records } from '../support/request-records.ts';

test('a filter without a condition keeps every request; each condition is seen as one', () => {
  expect(isNoCondition(NO_FILTER)).toBe(true);
  fc.assert(fc.property(records, (record) => isMatch(record, NO_FILTER)));
  const conditions: { readonly [Name in keyof RequestFilter]: RequestFilter[Name] } = {
    status: ['running'],
    provider: [providerKey('a')],
    model: ['m'],
    userId: '',
    apiKeyId: apiKeyId(''),
    category: ['code'],
    fellBack: false,
    window: { fromMs: epochMs(0), toMs: epochMs(1) },
    costMin: picoUsd(0n),
    totalMsMin: 0,
    metadata: { team: '' },
  };
  for (const [name, condition] of Object.entries(conditions)) {
    expect(isNoCondition({ ...NO_FILTER, [name]: condition }), name).toBe(false);
  }
});
