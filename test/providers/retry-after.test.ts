import { describe, expect, test } from 'vitest';
import { epochMs } from '../../src/core/time.ts';
import { limitResetOf, parseDuration, RETRY_AFTER_MS_MAX, retryAfterOf } from '../../src/providers/retry-after.ts';

const NOW = epochMs(Date.parse('2026-03-01T12:00:00Z'));

function said(headers: Record<string, string>, body: unknown = undefined) {
  return { headers: new Headers(headers), body, nowMs: NOW };
}

describe('Retry-After', () => {
  test.each([
    [{ 'retry-after': '7' }, 7_000],
    [{ 'retry-after': '1.5' }, 1_500],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after': 'Sun, 01 Mar 2026 12:00:30 GMT' }, 30_000],
    [{ 'retry-after': 'Sun, 01 Mar 2026 11:00:00 GMT' }, 0],
    [{ 'retry-after-ms': '250', 'retry-after': '1' }, 250],
    [{ 'retry-after': '86400' }, RETRY_AFTER_MS_MAX],
    [{ 'retry-after': 'soon' }, null],
    [{ 'retry-after': '-5 apples' }, null],
    [{ 'retry-after-ms': 'NaN' }, null],
    [{}, null],
  ])('%o is a wait of %s ms', (headers, waitMs) => {
    expect(retryAfterOf(said(headers))).toBe(waitMs);
  });

  test('a date is read by the clock of the provider that gave it, however wrong ours is', () => {
    const date = 'Sun, 01 Mar 2026 12:10:00 GMT';
    expect(retryAfterOf(said({ date, 'retry-after': 'Sun, 01 Mar 2026 12:10:30 GMT' }))).toBe(30_000);
    expect(limitResetOf(said({ date, 'anthropic-ratelimit-requests-reset': '2026-03-01T12:10:21Z' }))).toBe(21_000);
    expect(limitResetOf(said({ date, 'x-ratelimit-reset': String(NOW / 1_000 + 609) }))).toBe(9_000);
    expect(retryAfterOf(said({ date: 'yesterday', 'retry-after': 'Sun, 01 Mar 2026 12:00:30 GMT' }))).toBe(30_000);
  });

  test('Gemini says it in the body only', () => {
    const details = [
      { '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations: [] },
      { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '45.837906927s' },
    ];
    expect(retryAfterOf(said({}, { error: { code: 429, details } }))).toBe(45_838);
  });

  test.each([[null], ['text'], [{ error: { details: 'x' } }], [{ error: { details: [null, { retryDelay: 5 }] } }]])(
    'a body of %o says nothing',
    (body) => {
      expect(retryAfterOf(said({}, body))).toBeNull();
    },
  );
});

describe('the reset of a limit', () => {
  test.each([
    [{ 'x-ratelimit-reset-requests': '1s' }, 1_000],
    [{ 'x-ratelimit-reset-requests': '6m0s' }, 360_000],
    [{ 'x-ratelimit-reset-requests': '20ms' }, 20],
    [{ 'x-ratelimit-reset-tokens': '2m59.56s' }, 179_560],
    [{ 'x-ratelimit-reset-requests': '1h2m3s' }, RETRY_AFTER_MS_MAX],
    [{ 'x-ratelimit-reset': '12' }, 12_000],
    [{ 'x-ratelimit-reset': String(NOW / 1_000 + 9) }, 9_000],
    [{ 'x-ratelimit-reset': String(NOW + 4_000) }, 4_000],
    [{ 'anthropic-ratelimit-requests-reset': '2026-03-01T12:00:21Z' }, 21_000],
    [{ 'x-ratelimit-reset-requests': 'later' }, null],
    [{}, null],
  ])('%o is free again in %s ms', (headers, waitMs) => {
    expect(limitResetOf(said(headers))).toBe(waitMs);
  });

  test('of two limits, the one that is used up counts, and of two used up the later', () => {
    const resets = { 'x-ratelimit-reset-requests': '1s', 'x-ratelimit-reset-tokens': '8s' };
    const remaining = { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-remaining-tokens': '5000' };
    expect(limitResetOf(said({ ...resets, ...remaining }))).toBe(1_000);
    expect(limitResetOf(said(resets))).toBe(8_000);
  });
});

test('a duration that is not one is none', () => {
  for (const text of ['', 's', '1', '1s1h', '-1s', '1 s', '9'.repeat(400)]) expect(parseDuration(text)).toBeNull();
});
