import { userAccount } from '../../src/core/ids.ts';
import type { ChatOutcome } from '../../src/core/outcome.ts';
import type { PageAnswer, PageQuery } from '../../src/core/page.ts';
import { recordedErrorOf, statusOf } from '../../src/core/record-of.ts';
import type { RequestRecord } from '../../src/core/request-record.ts';
import type { EpochMs } from '../../src/core/time.ts';
import { usedKeyOf } from '../../src/gateway/caller.ts';
import type { ChatCall, InvalidInput, NotFound } from '../../src/gateway/gateway.ts';
import { usd } from './gateway-data.ts';

export function recordOf(call: ChatCall, outcome: ChatOutcome, nowMs: EpochMs): RequestRecord {
  const isAnswered = outcome.kind === 'answered';
  const { request } = call;
  return {
    id: call.requestId,
    createdAtMs: nowMs,
    status: isAnswered ? 'succeeded' : statusOf(outcome.why),
    door: call.door,
    isStreamed: false,
    account: userAccount(request.userId ?? 'nobody'),
    apiKey: usedKeyOf(call.caller),
    userId: request.userId,
    modelRequested: request.model,
    provider: outcome.routing.attempts.at(-1)?.provider ?? null,
    model: outcome.routing.attempts.at(-1)?.model ?? null,
    category: outcome.routing.classification.category,
    fellBack: outcome.routing.attempts.length > 1,
    usage: isAnswered ? outcome.usage : null,
    cost: outcome.cost,
    saved: usd('0'),
    timing: outcome.timing,
    finishReason: isAnswered ? outcome.answer.finishReason : null,
    error: isAnswered ? null : recordedErrorOf(outcome.why),
    routing: outcome.routing,
    metadata: request.metadata,
    conversationId: request.conversationId,
    traceId: call.span.traceId,
  };
}

export function invalidInput(issues: InvalidInput['issues']): InvalidInput {
  const message = 'The input is not acceptable.';
  return { kind: 'invalidInput', code: 'INVALID_INPUT', message, isRetryable: false, retryAfterMs: null, issues };
}

export function notFound(name: string): NotFound {
  const message = `No provider is called "${name}".`;
  return { kind: 'notFound', code: 'NOT_FOUND', message, isRetryable: false, retryAfterMs: null };
}

export function pageOf<Item>(
  items: readonly Item[],
  query: PageQuery,
  cursorOf: (item: Item) => string,
): PageAnswer<Item> {
  const { cursor, size, direction } = query;
  const at = cursor === null ? null : items.findIndex((item) => cursorOf(item) === cursor);
  if (at === -1) return { kind: 'badCursor' };
  const isForward = direction === 'forward';
  const from = isForward ? (at === null ? 0 : at + 1) : Math.max(0, (at ?? items.length) - size);
  const to = isForward ? Math.min(items.length, from + size) : (at ?? items.length);
  return {
    kind: 'page',
    page: {
      items: items.slice(from, to).map((item) => ({ cursor: cursorOf(item), item })),
      hasNext: to < items.length,
      hasPrevious: from > 0,
    },
  };
}

export const SWITCHED_OFF = {
  kind: 'featureDisabled',
  code: 'FEATURE_DISABLED',
  message: 'off',
  isRetryable: false,
  retryAfterMs: null,
} as const;
