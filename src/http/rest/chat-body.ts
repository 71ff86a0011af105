import type { IncomingHttpHeaders } from 'node:http';
import { CHAT_LIMITS, type ChatRequest } from '../../core/chat-request.ts';
import type { RawChat } from '../../core/raw-chat.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import { issuesOf, wordsFor } from './body-wording.ts';
import { CHAT_SHAPE, type ChatShape, KNOWN_FIELDS } from './chat-shape.ts';
import { droppedFieldWarnings } from './dropped-fields.ts';
import { rawMessageOf } from './message-shape.ts';
import { type RestIssue, restIssueOf, type Spelling } from './names.ts';
import { rawPreferencesOf, refusedProviderWishes } from './provider-wishes.ts';
import { rawToolFieldsOf } from './tool-shape.ts';

/** What a body asks for. */
export interface AskedChat {
  readonly request: ChatRequest;
  readonly isStreamed: boolean;
  /** Whether a stream ends with a chunk of usage. */
  readonly includesUsage: boolean;
  /** One for each field that nothing here reads. */
  readonly warnings: readonly string[];
}

export type ParsedBody =
  | { readonly kind: 'valid'; readonly asked: AskedChat }
  /** Every problem that was found. */
  | { readonly kind: 'invalid'; readonly issues: readonly RestIssue[] };

/** Reads a body that is a JSON object, and what its headers say of it. */
export function parseChatBody(
  body: unknown,
  headers: IncomingHttpHeaders,
  gateway: Pick<Gateway, 'parseChat'>,
): ParsedBody {
  const shaped = CHAT_SHAPE.safeParse(body, { error: wordsFor });
  if (!shaped.success) return { kind: 'invalid', issues: issuesOf(shaped.error) };
  const { data } = shaped;
  const refused = refusedWishes(data);
  const parsed = gateway.parseChat(rawChatOf(data, headers));
  const spelling = spellingOf(data);
  const wrong = parsed.kind === 'valid' ? [] : parsed.issues.map((issue) => restIssueOf(issue, spelling));
  if (parsed.kind !== 'valid' || refused.length > 0) return { kind: 'invalid', issues: [...refused, ...wrong] };
  const includesUsage = data.stream_options?.include_usage ?? false;
  const warnings = droppedFieldWarnings(body, data);
  return {
    kind: 'valid',
    asked: { request: parsed.request, isStreamed: data.stream ?? false, includesUsage, warnings },
  };
}

/** What is well-formed, and cannot be done. To ignore it would be to answer something else. */
function refusedWishes(body: ChatShape): readonly RestIssue[] {
  const { max_tokens: oldLimit, max_completion_tokens: newLimit } = body;
  const issues: RestIssue[] = [];
  if (typeof oldLimit === 'number' && typeof newLimit === 'number' && oldLimit !== newLimit) {
    issues.push({ param: 'max_tokens', message: 'is the old name of max_completion_tokens: send one of them' });
  }
  if (typeof body.n === 'number' && body.n !== 1) {
    issues.push({ param: 'n', message: 'must be 1: for more answers send more requests' });
  }
  for (const param of ['logprobs', 'top_logprobs'] as const) {
    const isWanted = isSaid(body[param]) && body[param] !== false;
    if (isWanted && body.stream === true) issues.push({ param, message: NOT_IN_STREAMS });
  }
  for (const [param, instead] of Object.entries(REPLACED)) {
    if (isSaid(body[param])) issues.push({ param, message: `is not taken: ${instead}` });
  }
  return [...issues, ...refusedProviderWishes(body.provider ?? {})];
}

const NOT_IN_STREAMS = 'is not told in streams: leave it out, or ask without stream';

/** Fields that OpenAI itself has replaced. */
const REPLACED = { functions: 'send tools', function_call: 'send tool_choice' } as const;

function rawChatOf(body: ChatShape, headers: IncomingHttpHeaders): RawChat {
  const names = [...(isSaid(body.model) ? [body.model] : []), ...(body.models ?? [])];
  return {
    model: names[0],
    fallbackModels: names.slice(1),
    messages: body.messages.map(rawMessageOf),
    maxOutputTokens: body.max_completion_tokens ?? body.max_tokens,
    temperature: body.temperature,
    topP: body.top_p,
    stop: body.stop,
    seed: body.seed,
    reasoningEffort: body.reasoning_effort,
    presencePenalty: body.presence_penalty,
    frequencyPenalty: body.frequency_penalty,
    ...rawToolFieldsOf(body),
    extras: extrasOf(body),
    routing: rawPreferencesOf(body.provider ?? {}),
    maxCostUsd: body.max_cost_usd,
    timeoutMs: body.timeout_ms ?? patienceOf(body, headers),
    userId: body.user,
    conversationId: body.conversation_id,
    metadata: body.metadata,
    idempotencyKey: headerOf(headers, 'idempotency-key'),
  };
}

function spellingOf(body: ChatShape): Spelling {
  return {
    outputLimit: isSaid(body.max_completion_tokens) ? 'max_completion_tokens' : 'max_tokens',
    isModelInList: !isSaid(body.model),
  };
}

/** What the service has no word for, and a provider of this protocol may understand. */
function extrasOf(body: ChatShape): Readonly<Record<string, unknown>> {
  const unknown = Object.entries(body).filter(([name]) => !KNOWN_FIELDS.has(name) && !Object.hasOwn(REPLACED, name));
  const { logprobs, top_logprobs } = body;
  const wanted = Object.entries({ logprobs: logprobs === true ? true : null, top_logprobs });
  return Object.fromEntries([...unknown, ...wanted].filter(([, value]) => isSaid(value)));
}

/**
 * How long the client itself waits: nobody reads an answer that comes later. Undefined when it does not say. Of a stream it says
 * only how long it waits for the headers, and leaves by itself if they do not come.
 */
function patienceOf({ stream }: ChatShape, headers: IncomingHttpHeaders): number | undefined {
  if (stream === true) return undefined;
  const seconds = Number(headerOf(headers, 'x-stainless-timeout') ?? Number.NaN);
  if (!(seconds > 0)) return undefined;
  return Math.min(Math.max(Math.round(seconds * 1_000), CHAT_LIMITS.timeoutMsMin), CHAT_LIMITS.timeoutMsDefault);
}

/** Null when it was not sent. */
function headerOf(headers: IncomingHttpHeaders, name: string): string | null {
  const value = headers[name];
  return typeof value === 'string' ? value : null;
}

function isSaid<Value>(value: Value | null | undefined): value is Value {
  return value !== null && value !== undefined;
}
