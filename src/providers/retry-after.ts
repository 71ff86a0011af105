import type { EpochMs } from '../core/time.ts';
import { fieldAt } from './json-field.ts';

/** No provider is set aside for longer on its own word. */
export const RETRY_AFTER_MS_MAX = 600_000;

const RATE_DIMENSIONS = ['requests', 'tokens', 'input-tokens', 'output-tokens'] as const;
const DURATION = /^(?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,6}(?:\.\d{1,12})?)s)?(?:(\d{1,9}(?:\.\d{1,12})?)ms)?$/;
const NUMBER = /^\d{1,15}(?:\.\d{1,12})?$/;

/** What a refusal says, in its headers and in its body. */
export interface Said {
  readonly headers: Headers;
  /** The parsed body. Undefined when it was not JSON. */
  readonly body: unknown;
  /** By our own clock, for an answer without a date. */
  readonly nowMs: EpochMs;
}

/** An instant means something only by the clock that named it, and ours may be wrong: the answer's own date comes first. */
function saidAtMs({ headers, nowMs }: Said): number {
  const date = Date.parse(headers.get('date') ?? '');
  return Number.isNaN(date) ? nowMs : date;
}

/**
 * How long an answer asks to be left alone, in whole milliseconds. Null when it does not ask. In this order:
 * `retry-after-ms` (OpenAI), `Retry-After` in seconds or as a date, and google.rpc.RetryInfo in the body, Gemini's only word
 * on it (vercel/ai#18627).
 */
export function retryAfterOf(said: Said): number | null {
  const inMs = said.headers.get('retry-after-ms');
  const header = said.headers.get('retry-after');
  const nowMs = saidAtMs(said);
  return (
    capped(inMs !== null && NUMBER.test(inMs) ? Number(inMs) : null) ??
    capped(header === null ? null : (secondsOf(header) ?? untilDate(header, nowMs))) ??
    capped(retryInfoOf(said.body))
  );
}

/**
 * When the exhausted limit of a 429 is free again, for a provider that gives no Retry-After: the latest reset among the limits
 * that are used up. Null when nothing is said.
 */
export function limitResetOf(said: Said): number | null {
  const { headers } = said;
  const nowMs = saidAtMs(said);
  const resets = RATE_DIMENSIONS.flatMap((dimension) => [
    isUsedUp(headers.get(`x-ratelimit-remaining-${dimension}`)) ? headers.get(`x-ratelimit-reset-${dimension}`) : null,
    isUsedUp(headers.get(`anthropic-ratelimit-${dimension}-remaining`))
      ? headers.get(`anthropic-ratelimit-${dimension}-reset`)
      : null,
  ]);
  const waits = [headers.get('x-ratelimit-reset'), ...resets].flatMap((reset) => {
    const wait = reset === null ? null : resetWait(reset, nowMs);
    return wait === null ? [] : [wait];
  });
  return waits.length === 0 ? null : capped(Math.max(...waits));
}

/** Reads `1s`, `6m0s`, `1h2m`, `59.56s`, `20ms`, as OpenAI, Groq and google.protobuf.Duration write them. Null otherwise. */
export function parseDuration(text: string): number | null {
  const match = DURATION.exec(text);
  if (match === null || text === '') return null;
  const [, hours = '0', minutes = '0', seconds = '0', ms = '0'] = match;
  return Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(seconds) * 1_000 + Number(ms);
}

/** A limit counts as used up unless the provider says that something is left. */
function isUsedUp(remaining: string | null): boolean {
  return remaining === null || Number(remaining) <= 0;
}

/** A reset is a duration, a date, seconds from now, or an instant in seconds or milliseconds since 1970: providers differ. */
function resetWait(reset: string, nowMs: number): number | null {
  if (!NUMBER.test(reset)) return parseDuration(reset) ?? untilDate(reset, nowMs);
  const value = Number(reset);
  if (value > 1e11) return Math.max(0, value - nowMs);
  if (value > 1e8) return Math.max(0, value * 1_000 - nowMs);
  return value * 1_000;
}

function secondsOf(text: string): number | null {
  return NUMBER.test(text) ? Number(text) * 1_000 : null;
}

function untilDate(text: string, nowMs: number): number | null {
  const instant = Date.parse(text);
  return Number.isNaN(instant) ? null : Math.max(0, instant - nowMs);
}

function retryInfoOf(body: unknown): number | null {
  const details = fieldAt(body, 'error', 'details');
  if (!Array.isArray(details)) return null;
  const delay = details
    .map((detail) => fieldAt(detail, 'retryDelay'))
    .find((candidate) => typeof candidate === 'string');
  return delay === undefined ? null : parseDuration(delay);
}

function capped(ms: number | null): number | null {
  return ms === null ? null : Math.min(RETRY_AFTER_MS_MAX, Math.ceil(ms));
}
