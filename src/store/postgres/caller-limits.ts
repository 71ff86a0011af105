import type { CallerLimits } from '../../core/api-key.ts';
import { type CallerStanding, type Entered, LIMITED_BY, type LimitStanding, PLACE } from '../../core/caller-limits.ts';
import { decodeFields, decodeInstant, decodeNumber, decodeOneOf } from '../../core/decode.ts';
import type { CallerLimitsPort } from '../../ports/caller-limits.ts';
import type { Connection } from './connection.ts';

/** The limits of callers, on PostgreSQL: each act is one function of drizzle/, in one commit. */
export function makePostgresCallerLimits({ limits, read, upkeep }: Connection): CallerLimitsPort {
  return {
    async enterCaller(entry) {
      const [row] = await limits(
        (sql) => sql`select switchyard.enter_caller(${JSON.stringify(entry)}::text::jsonb) as answer`,
      );
      return decodeEntered(row?.answer, entry.limits);
    },
    async leaveCaller({ line, requestId, tokens }) {
      await limits((sql) => sql`select switchyard.leave_caller(${line}, ${requestId}::uuid, ${tokens}::bigint)`);
    },
    async askCaller(wish) {
      const asked = JSON.stringify(wish);
      const [row] = await read(
        (sql) => sql`select switchyard.answer_caller(${asked}::text::jsonb, switchyard.clock()) as answer`,
      );
      return decodeEntered(row?.answer, wish.limits);
    },
    async forgetCallers(countMax) {
      const [row] = await upkeep((sql) => sql`select switchyard.forget_callers(${countMax}) as answer`);
      return decodeNumber(row?.answer);
    },
  };
}

function decodeEntered(value: unknown, limits: CallerLimits): Entered {
  const fields = decodeFields(value);
  const standing: CallerStanding = {
    nowMs: decodeInstant(fields.nowMs),
    requests: limits.requestsPerMinute === null ? null : decodeLimit(fields.requests, limits.requestsPerMinute),
    tokens: limits.tokensPerMinute === null ? null : decodeLimit(fields.tokens, limits.tokensPerMinute),
    concurrency: limits.concurrency === null ? null : { limit: limits.concurrency, used: decodeNumber(fields.open) },
  };
  if (fields.which === null) return { kind: 'entered', standing };
  const which = decodeOneOf(LIMITED_BY, fields.which);
  const retryAfterMs = which === 'concurrency' ? PLACE.concurrencyRetryMs : decodeNumber(fields.waitMs);
  return { kind: 'limited', which, standing, retryAfterMs };
}

function decodeLimit(value: unknown, limit: number): LimitStanding {
  const { used, freeAtMs, resetAtMs } = decodeFields(value);
  return {
    limit,
    used: decodeNumber(used),
    freeAtMs: freeAtMs === null ? null : decodeInstant(freeAtMs),
    resetAtMs: resetAtMs === null ? null : decodeInstant(resetAtMs),
  };
}
