import { CATEGORIES } from './category.ts';
import {
  decodeBoolean,
  decodeFields,
  decodeInstant,
  decodeMoney,
  decodeNullable,
  decodeOneOf,
  decodeText,
} from './decode.ts';
import { decodeAttempt } from './decode-decision.ts';
import { decodeLabels, decodeRecordedError } from './decode-record.ts';
import { accountKey, providerKey, requestId } from './ids.ts';
import { decodeCost, decodeTiming, decodeUsage } from './outcome-text.ts';
import { FINISH_REASONS } from './prompt.ts';
import { REQUEST_EVENT_KINDS, type RequestEvent } from './request-event.ts';
import { DOORS, REQUEST_STATUSES, type RequestView } from './request-record.ts';
import { decodeUsedKey } from './view.ts';

// What happens to requests, as text from replica to replica. The decision stays behind: it grows with the registry, and the log has it.

/** JSON; money as text, because a JSON number would be rounded. */
export function formatRequestEvent(event: RequestEvent): string {
  const { routing: _routing, ...request } = event.request;
  return JSON.stringify({ ...event, request }, (_name, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
}

/** Throws when the value is not what `formatRequestEvent` writes as JSON. */
export function decodeRequestEvent(value: unknown): RequestEvent {
  const event = decodeFields(value);
  return {
    kind: decodeOneOf(REQUEST_EVENT_KINDS, event.kind),
    request: decodeView(event.request),
    attempt: decodeNullable(event.attempt, decodeAttempt),
    occurredAtMs: decodeInstant(event.occurredAtMs),
  };
}

function decodeView(value: unknown): RequestView {
  const request = decodeFields(value);
  return {
    id: requestId(decodeText(request.id)),
    createdAtMs: decodeInstant(request.createdAtMs),
    status: decodeOneOf(['running', ...REQUEST_STATUSES], request.status),
    door: decodeOneOf(DOORS, request.door),
    isStreamed: decodeBoolean(request.isStreamed),
    account: accountKey(decodeText(request.account)),
    apiKey: decodeUsedKey(request.apiKey),
    userId: decodeNullable(request.userId, decodeText),
    modelRequested: decodeText(request.modelRequested),
    provider: decodeNullable(request.provider, (key) => providerKey(decodeText(key))),
    model: decodeNullable(request.model, decodeText),
    category: decodeOneOf(CATEGORIES, request.category),
    fellBack: decodeBoolean(request.fellBack),
    usage: decodeNullable(request.usage, decodeUsage),
    cost: decodeCost(request.cost),
    saved: decodeMoney(request.saved),
    timing: decodeTiming(request.timing),
    finishReason: decodeNullable(request.finishReason, (reason) => decodeOneOf(FINISH_REASONS, reason)),
    error: decodeNullable(request.error, decodeRecordedError),
    routing: null,
    metadata: decodeLabels(request.metadata),
    conversationId: decodeNullable(request.conversationId, decodeText),
    // A replica of the version before has none.
    traceId: decodeNullable(request.traceId ?? null, decodeText),
  };
}
