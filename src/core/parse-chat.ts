import { AUTO, isKnownModel } from './candidates.ts';
import { CHAT_LIMITS, type ChatRequest, type Preferences } from './chat-request.ts';
import { countCodePoints } from './estimate.ts';
import { parseExtras } from './extras.ts';
import { bareKey, type ProviderKey, providerKey } from './ids.ts';
import { type Message, textOf, toolCallsOf } from './message.ts';
import { AMOUNT_MAX, formatUsd, PRICE_STEP, type PricePerMTok, priceOfUsd } from './money.ts';
import type { InputIssue } from './outcome.ts';
import { parseMessages } from './parse-messages.ts';
import { checkSchemas, parseResponseFormat, parseTools } from './parse-tools.ts';
import type { RawChat, RawPreferences, Report } from './raw-chat.ts';
import { findProvider, type Registry } from './registry.ts';

export type ParsedRequest =
  | { readonly kind: 'valid'; readonly request: ChatRequest }
  | { readonly kind: 'invalid'; readonly issues: readonly InputIssue[] };

/** Turns a chat as a door hands it over into one that needs no further check. */
export function parseChat(raw: RawChat, registry: Registry): ParsedRequest {
  const issues: InputIssue[] = [];
  const report: Report = (path, message) => issues.push({ path: path.map(String), message });
  const messages = parseMessages(raw, report);
  checkSize(raw, messages, report);
  checkModels(raw, registry, report);
  const tools = parseTools(raw, report);
  const responseFormat = parseResponseFormat(raw, report);
  checkSchemas({ tools, format: responseFormat }, report);
  checkSampling(raw, report);
  const extras = parseExtras(raw, report);
  checkLabels(raw, report);
  const preferences = parsePreferences(raw.routing ?? {}, registry, report);
  if (typeof raw.maxCostUsd === 'bigint' && raw.maxCostUsd <= 0n) {
    report(['maxCostUsd'], 'must be above 0; leave it out for no limit but the budget');
  }
  if (typeof raw.maxCostUsd === 'bigint' && raw.maxCostUsd > AMOUNT_MAX) {
    report(['maxCostUsd'], `must be at most ${formatUsd(AMOUNT_MAX)}; leave it out for no limit but the budget`);
  }
  const timeoutMs = raw.timeoutMs ?? CHAT_LIMITS.timeoutMsDefault;
  checkWithin(timeoutMs, ['timeoutMs'], [CHAT_LIMITS.timeoutMsMin, CHAT_LIMITS.timeoutMsMax], report);
  const metadata = parseMetadata(raw.metadata, report);
  if (issues.length > 0) return { kind: 'invalid', issues };
  return {
    kind: 'valid',
    request: {
      prompt: {
        messages,
        tools,
        responseFormat,
        temperature: raw.temperature ?? null,
        topP: raw.topP ?? null,
        presencePenalty: raw.presencePenalty ?? null,
        frequencyPenalty: raw.frequencyPenalty ?? null,
        stop: raw.stop ?? [],
        seed: raw.seed ?? null,
        reasoningEffort: raw.reasoningEffort ?? null,
        extras,
      },
      model: raw.model ?? AUTO,
      fallbackModels: raw.fallbackModels ?? [],
      maxOutputTokens: raw.maxOutputTokens ?? null,
      preferences,
      costMax: raw.maxCostUsd ?? null,
      timeoutMs,
      userId: raw.userId ?? null,
      conversationId: raw.conversationId ?? null,
      metadata,
      idempotencyKey: raw.idempotencyKey ?? null,
    },
  };
}

function checkSize(raw: RawChat, messages: readonly Message[], report: Report): void {
  const chars = messages.reduce((sum, message) => sum + charsOf(message), 0);
  if (chars > CHAT_LIMITS.promptCharsMax) {
    report(
      [typeof raw.prompt === 'string' ? 'prompt' : 'messages'],
      `the text has ${chars} characters; at most ${CHAT_LIMITS.promptCharsMax} are taken: shorten it`,
    );
  }
}

function charsOf(message: Message): number {
  const written = toolCallsOf(message).map((call) => call.name + call.arguments);
  return [textOf(message), ...written].reduce((sum, text) => sum + countCodePoints(text), 0);
}

function checkModels(raw: RawChat, registry: Registry, report: Report): void {
  const unknown = (name: string) => `no model answers to "${name}"; the query \`models\` lists names and aliases`;
  if (typeof raw.model === 'string' && !isKnownModel(registry, raw.model)) report(['model'], unknown(raw.model));
  const fallbacks = raw.fallbackModels ?? [];
  if (fallbacks.length > CHAT_LIMITS.fallbackModelsMax) {
    report(['fallbackModels'], `at most ${CHAT_LIMITS.fallbackModelsMax} are taken`);
  }
  fallbacks.forEach((name, index) => {
    if (!isKnownModel(registry, name)) report(['fallbackModels', index], unknown(name));
  });
}

function checkSampling(raw: RawChat, report: Report): void {
  checkWithin(raw.temperature, ['temperature'], [0, 2], report);
  checkWithin(raw.topP, ['topP'], [0, 1], report);
  checkWithin(raw.presencePenalty, ['presencePenalty'], [-2, 2], report);
  checkWithin(raw.frequencyPenalty, ['frequencyPenalty'], [-2, 2], report);
  checkWithin(raw.maxOutputTokens, ['maxOutputTokens'], [1, 10_000_000], report);
  checkWhole(raw.maxOutputTokens, ['maxOutputTokens'], report);
  checkWhole(raw.seed, ['seed'], report);
  const stop = raw.stop ?? [];
  if (stop.length > CHAT_LIMITS.stopSequencesMax) {
    report(['stop'], `at most ${CHAT_LIMITS.stopSequencesMax} sequences are taken`);
  }
  stop.forEach((sequence, index) => {
    checkLength(sequence, ['stop', index], CHAT_LIMITS.stopCharsMax, report);
  });
}

function checkLabels(raw: RawChat, report: Report): void {
  if (typeof raw.userId === 'string') checkLength(raw.userId, ['userId'], CHAT_LIMITS.userIdCharsMax, report);
  if (typeof raw.conversationId === 'string') {
    checkLength(raw.conversationId, ['conversationId'], CHAT_LIMITS.conversationIdCharsMax, report);
  }
  const key = raw.idempotencyKey ?? null;
  // What a header can carry, so that a key means the same at every door.
  const isPrintable = key === null || /^[\x20-\x7e]+$/.test(key);
  if (!isPrintable || (key?.length ?? 0) > CHAT_LIMITS.idempotencyKeyCharsMax) {
    const charsMax = CHAT_LIMITS.idempotencyKeyCharsMax;
    report(['idempotencyKey'], `must have 1 to ${charsMax} printable ASCII characters; a random UUID is a good one`);
  }
}

function parsePreferences(raw: RawPreferences, registry: Registry, report: Report): Preferences {
  const keysOf = (field: 'order' | 'only' | 'ignore'): readonly ProviderKey[] =>
    (raw[field] ?? []).map((name, index) => {
      const key = bareKey(name);
      if (findProvider(registry, key) === undefined) {
        const known = registry.providers.map((provider) => provider.key).join(', ');
        report(['routing', field, index], `no provider is called "${name}"; there are ${known}`);
      }
      return providerKey(key);
    });
  const attemptsMax = raw.maxAttempts ?? 3;
  checkWithin(attemptsMax, ['routing', 'maxAttempts'], [1, CHAT_LIMITS.attemptsMax], report);
  checkWhole(attemptsMax, ['routing', 'maxAttempts'], report);
  checkWithin(raw.maxLatencyMs, ['routing', 'maxLatencyMs'], [1, CHAT_LIMITS.timeoutMsMax], report);
  return {
    order: keysOf('order'),
    only: keysOf('only'),
    ignore: keysOf('ignore'),
    sort: raw.sort ?? null,
    allowFallbacks: raw.allowFallbacks ?? true,
    attemptsMax,
    requireParameters: raw.requireParameters ?? true,
    inputPriceMax: parsePriceMax(raw, 'inputUsdPerMillion', report),
    outputPriceMax: parsePriceMax(raw, 'outputUsdPerMillion', report),
    latencyMsMax: raw.maxLatencyMs ?? null,
    category: raw.category ?? null,
  };
}

function parsePriceMax(
  raw: RawPreferences,
  field: 'inputUsdPerMillion' | 'outputUsdPerMillion',
  report: Report,
): PricePerMTok | null {
  const usd = raw.maxPrice?.[field] ?? null;
  if (usd === null) return null;
  const price = priceOfUsd(usd);
  if (price === null) {
    report(['routing', 'maxPrice', field], `must be 0 or more, in steps of ${PRICE_STEP} USD per million tokens`);
  }
  return price;
}

function parseMetadata(raw: unknown, report: Report): Readonly<Record<string, string>> {
  if (raw === null || raw === undefined) return {};
  if (typeof raw !== 'object' || Array.isArray(raw)) {
    report(['metadata'], 'must be an object of short texts, such as {"team": "search"}');
    return {};
  }
  const entries = Object.entries(raw);
  if (entries.length > CHAT_LIMITS.metadataLabelsMax) {
    report(['metadata'], `at most ${CHAT_LIMITS.metadataLabelsMax} labels are kept`);
  }
  const labels: [string, string][] = [];
  for (const [name, value] of entries) {
    if (typeof value !== 'string') report(['metadata', name], 'must be a text');
    else {
      checkLength(value, ['metadata', name], CHAT_LIMITS.metadataCharsMax, report);
      checkLength(name, ['metadata', name], CHAT_LIMITS.metadataCharsMax, report);
      labels.push([name, value]);
    }
  }
  return Object.fromEntries(labels);
}

function checkLength(text: string, path: readonly (string | number)[], charsMax: number, report: Report): void {
  if (text.length === 0) report(path, 'must not be empty; leave it out instead');
  if (text.length > charsMax) report(path, `has ${text.length} characters; at most ${charsMax} are taken`);
  if (text.includes('\u0000') || !text.isWellFormed()) report(path, 'holds characters that cannot be stored');
}

function checkWithin(
  value: number | null | undefined,
  path: readonly (string | number)[],
  [least, most]: readonly [number, number],
  report: Report,
): void {
  if (value === null || value === undefined) return;
  if (!(value >= least && value <= most)) report(path, `must be from ${least} to ${most}, got ${value}`);
}

function checkWhole(value: number | null | undefined, path: readonly (string | number)[], report: Report): void {
  if (value === null || value === undefined) return;
  if (!Number.isSafeInteger(value)) report(path, `must be a whole number, got ${value}`);
}
