import type { LimitSeen, LimitsSeen } from '../../core/caller-limits.ts';
import { formatUsd, type PicoUsd } from '../../core/money.ts';
import type { Answered, ChatOutcome, Timing } from '../../core/outcome.ts';

export type Headers = Readonly<Record<string, string>>;

const ROUTE_CHARS_MAX = 120;

/** Names of the headers with which a caller asks for more than OpenAI's API knows. */
export const WISH_HEADERS = { metadata: 'x-switchyard-metadata', dryRun: 'x-switchyard-dry-run' } as const;

/** What each limit of a caller is called in the names of headers. */
const LIMIT_NAMES = ['requests', 'tokens'] as const satisfies readonly (keyof LimitsSeen)[];

/** Scripts of origins that ALLOWED_ORIGINS names, or that a proxy lets in, may read these. */
export const EXPOSED_HEADERS: Headers = {
  'access-control-expose-headers': [
    'x-request-id',
    'x-switchyard-provider',
    'x-switchyard-model',
    'x-switchyard-attempts',
    'x-switchyard-route',
    'x-switchyard-cost-usd',
    'x-switchyard-budget-remaining-usd',
    'x-switchyard-overhead-ms',
    'x-switchyard-replayed',
    'server-timing',
    ...LIMIT_NAMES.flatMap((name) => Object.keys(limitHeaders(name, { limit: 0, remaining: 0, resetMs: 0 }))),
    'retry-after',
    'retry-after-ms',
    'x-should-retry',
  ].join(', '),
};

/** Of what an earlier sending was told already: nothing is charged for it again. */
export const REPLAYED: Headers = { 'x-switchyard-replayed': 'true' };

/** Where a request goes, as far as it is known. */
export interface RouteSoFar {
  /** Null: nobody answers. */
  readonly answering: { readonly provider: string; readonly model: string } | null;
  readonly attempts: number;
  readonly summary: string;
}

export function routeHeadersOf({ answering, attempts, summary }: RouteSoFar): Headers {
  return {
    ...(answering === null
      ? {}
      : {
          'x-switchyard-provider': headerTextOf(answering.provider),
          'x-switchyard-model': headerTextOf(answering.model),
        }),
    'x-switchyard-attempts': String(attempts),
    'x-switchyard-route': headerTextOf(summary).slice(0, ROUTE_CHARS_MAX),
  };
}

/** Of a whole answer. `remaining` is null when the payer has no cap. */
export function answerHeadersOf(outcome: Answered, remaining: PicoUsd | null): Headers {
  return {
    ...outcomeHeadersOf(outcome),
    ...(remaining === null ? {} : { 'x-switchyard-budget-remaining-usd': formatUsd(remaining) }),
    ...(outcome.isReplayed ? REPLAYED : {}),
  };
}

/** Of a request that was recorded, answered or not. */
export function outcomeHeadersOf(outcome: ChatOutcome): Headers {
  const { cost, timing, routing } = outcome;
  const answering = outcome.kind === 'answered' ? outcome : null;
  return {
    ...routeHeadersOf({ answering, attempts: routing.attempts.length, summary: routing.summary }),
    'x-switchyard-cost-usd': formatUsd(cost.total),
    'x-switchyard-overhead-ms': String(timing.overheadMs),
    'server-timing': serverTimingOf(timing),
  };
}

function serverTimingOf({ totalMs, upstreamMs, overheadMs }: Timing): string {
  return `total;dur=${totalMs}, upstream;dur=${upstreamMs}, overhead;dur=${overheadMs}`;
}

/** Of a caller with limits, beside whatever it is answered. Null: it has none, or nothing is known of them here. */
export function limitHeadersOf(limits: LimitsSeen | null): Headers {
  if (limits === null) return {};
  return Object.assign({}, ...LIMIT_NAMES.map((name) => limitHeaders(name, limits[name])));
}

/** In OpenAI's names. Null: there is no such limit. */
function limitHeaders(name: string, seen: LimitSeen | null): Headers {
  if (seen === null) return {};
  return {
    [`x-ratelimit-limit-${name}`]: String(seen.limit),
    [`x-ratelimit-remaining-${name}`]: String(seen.remaining),
    [`x-ratelimit-reset-${name}`]: durationTextOf(seen.resetMs),
  };
}

/** As OpenAI writes durations: `0s`, `120ms`, `8.64s`, `1m0.1s`. */
function durationTextOf(ms: number): string {
  const whole = Math.ceil(ms);
  if (whole > 0 && whole < 1_000) return `${whole}ms`;
  const minutes = Math.floor(whole / 60_000);
  return `${minutes > 0 ? `${minutes}m` : ''}${(whole % 60_000) / 1_000}s`;
}

/** A header carries printable ASCII only. */
function headerTextOf(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?');
}
