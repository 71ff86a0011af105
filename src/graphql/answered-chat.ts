import type { UsedKey } from '../core/api-key.ts';
import type { ChatRequest } from '../core/chat-request.ts';
import { ANONYMOUS, userOf } from '../core/ids.ts';
import { ZERO_USD } from '../core/money.ts';
import type { Answered } from '../core/outcome.ts';
import type { RequestRecord } from '../core/request-record.ts';
import { type EpochMs, later } from '../core/time.ts';

/** An answer, and what was asked. */
export type AnsweredChat = Answered & { readonly asked: ChatRequest };

/** The record of an answer, made again from the answer itself: for a log that could not be written. */
export function recordOfAnswer(
  chat: AnsweredChat,
  of: { readonly nowMs: EpochMs; readonly apiKey: UsedKey | null; readonly traceId: string | null },
): RequestRecord {
  const { nowMs, apiKey, traceId } = of;
  const { asked, routing, timing } = chat;
  const account = chat.account?.key ?? ANONYMOUS;
  return {
    id: chat.requestId,
    createdAtMs: later(nowMs, -Math.round(timing.totalMs)),
    status: 'succeeded',
    door: 'graphql',
    // Only the first piece of a stream has a time of its own.
    isStreamed: timing.timeToFirstTokenMs !== null,
    account,
    apiKey,
    userId: userOf(account),
    modelRequested: asked.model,
    provider: chat.provider,
    model: chat.model,
    category: routing.classification.category,
    fellBack: routing.attempts.length > 1,
    usage: chat.usage,
    cost: chat.cost,
    saved: ZERO_USD,
    timing,
    finishReason: chat.answer.finishReason,
    error: null,
    routing,
    metadata: asked.metadata,
    conversationId: asked.conversationId,
    traceId,
  };
}
