import { CATEGORIES } from '../../core/category.ts';
import {
  decodeBoolean,
  decodeInstant,
  decodeMoney,
  decodeNullable,
  decodeNumber,
  decodeOneOf,
  decodeText,
  type Fields,
} from '../../core/decode.ts';
import { decodeDecision } from '../../core/decode-decision.ts';
import { decodeLabels, decodeRecordedError } from '../../core/decode-record.ts';
import { accountKey, providerKey, requestId } from '../../core/ids.ts';
import { FINISH_REASONS } from '../../core/prompt.ts';
import { DOORS, REQUEST_STATUSES, type RequestRecord } from '../../core/request-record.ts';
import { type TokenUsage, USAGE_SOURCES } from '../../core/usage.ts';
import { decodeUsedKey } from '../../core/view.ts';

/** A request out of a row that was selected with `requestColumns`. */
export function decodeRequest(row: Fields): RequestRecord {
  return {
    id: requestId(decodeText(row.id)),
    createdAtMs: decodeInstant(row.created_at_ms),
    status: decodeOneOf(REQUEST_STATUSES, row.status),
    door: decodeOneOf(DOORS, row.door),
    isStreamed: decodeBoolean(row.is_streamed),
    account: accountKey(decodeText(row.account)),
    apiKey: row.key_id === null ? null : decodeUsedKey({ id: row.key_id, line: row.key_line }),
    userId: decodeNullable(row.user_id, decodeText),
    modelRequested: decodeText(row.model_requested),
    provider: decodeNullable(row.provider, (value) => providerKey(decodeText(value))),
    model: decodeNullable(row.model, decodeText),
    category: decodeOneOf(CATEGORIES, row.category),
    fellBack: decodeBoolean(row.fell_back),
    usage: row.usage_source === null ? null : decodeUsage(row),
    cost: {
      total: decodeMoney(row.cost_total),
      input: decodeMoney(row.cost_input),
      output: decodeMoney(row.cost_output),
      reserved: decodeMoney(row.cost_reserved),
      priceListVersion: decodeText(row.price_list_version),
    },
    saved: decodeMoney(row.saved),
    timing: {
      totalMs: decodeNumber(row.total_ms),
      timeToFirstTokenMs: decodeNullable(row.first_token_ms, decodeNumber),
      upstreamMs: decodeNumber(row.upstream_ms),
      overheadMs: decodeNumber(row.overhead_ms),
    },
    finishReason: decodeNullable(row.finish_reason, (value) => decodeOneOf(FINISH_REASONS, value)),
    error: decodeNullable(row.error, decodeRecordedError),
    routing: decodeDecision(row.decision, row.attempts),
    metadata: decodeLabels(row.metadata),
    conversationId: decodeNullable(row.conversation_id, decodeText),
    traceId: decodeNullable(row.trace_id, decodeText),
  };
}

function decodeUsage(row: Fields): TokenUsage {
  return {
    inputTokens: decodeNumber(row.input_tokens),
    cachedInputTokens: decodeNumber(row.cached_input_tokens),
    outputTokens: decodeNumber(row.output_tokens),
    reasoningTokens: decodeNumber(row.reasoning_tokens),
    source: decodeOneOf(USAGE_SOURCES, row.usage_source),
  };
}
