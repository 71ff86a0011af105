import type { LanguageModelV4StreamResult, LanguageModelV4Usage } from '@ai-sdk/provider';
import type { Failure } from '../core/failure.ts';
import type { ProviderKey } from '../core/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { OnDelta, ProviderCall, ProviderPort, ProviderResult } from '../ports/provider.ts';
import { answerOf, refusalIn } from './answer-of.ts';
import { makeCollector } from './collect-stream.ts';
import { textsIn } from './echo.ts';
import { type Exchange, makeExchange, type UpstreamFetch } from './exchange.ts';
import { failureOf, unsendable } from './failure-of.ts';
import { leftOutWarnings, renderWishes } from './render-wishes.ts';
import { renderMessages } from './rendering.ts';
import { inputTokensMax } from './token-bound.ts';
import { type Received, usageOf } from './usage.ts';
import { BASE_URLS, loadVendor, mergeOptions, type SdkKind, type Vendor } from './vendor.ts';

/** A real provider, reached through a package of the AI SDK at the level of one model. */
export interface SdkSettings {
  readonly key: ProviderKey;
  readonly kind: SdkKind;
  /** Null when the server asks for none, as some compatible servers do. */
  readonly apiKey: string | null;
  /** Null: the vendor's own service; a compatible server must be named. */
  readonly baseUrl: string | null;
  /** Whether a request answered with 5xx may be billed. Gemini documents that it is not. */
  readonly areErrorsBilled: boolean;
  readonly fetch: UpstreamFetch;
  /** For Retry-After given as a date. */
  readonly clock: Pick<Clock, 'now'>;
}

export async function makeSdkProvider(settings: SdkSettings): Promise<ProviderPort> {
  const baseUrl = baseUrlOf(settings);
  const vendor = await loadVendor({ kind: settings.kind, apiKey: settings.apiKey, baseUrl });
  const { origin } = new URL(baseUrl);
  return {
    key: settings.key,
    inputTokensMax: (prompt, model) => inputTokensMax({ prompt, model, kind: settings.kind }),
    call: (call, signal, onDelta) => callOnce({ settings, vendor, origin }, call, { signal, onDelta: onDelta ?? null }),
  };
}

function baseUrlOf(settings: SdkSettings): string {
  const baseUrl = settings.baseUrl ?? (settings.kind === 'openaiCompatible' ? '' : BASE_URLS[settings.kind]);
  if (!URL.canParse(baseUrl)) throw new RangeError(`${settings.key} needs a base URL, got '${baseUrl}'`);
  return baseUrl;
}

interface Sdk {
  readonly settings: SdkSettings;
  readonly vendor: Vendor;
  readonly origin: string;
}

interface Listening {
  readonly signal: AbortSignal;
  /** Null: the answer is wanted as a whole. */
  readonly onDelta: OnDelta | null;
}

interface Conversation extends Listening {
  readonly exchange: Exchange;
}

async function callOnce(sdk: Sdk, call: ProviderCall, listening: Listening): Promise<ProviderResult> {
  const isStreamed = listening.onDelta !== null;
  const { settings, vendor, origin } = sdk;
  using exchange = makeExchange({ fetch: settings.fetch, origin, furtherAnswer: vendor.furtherAnswer, isStreamed });
  try {
    return await converse(sdk, call, { ...listening, exchange });
  } catch (error) {
    return failed(failureIn(sdk, { ...listening, exchange, error, said: textsIn(call.prompt) }));
  }
}

async function converse(sdk: Sdk, call: ProviderCall, of: Conversation): Promise<ProviderResult> {
  of.signal.throwIfAborted();
  const { vendor, settings } = sdk;
  const { model, maxOutputTokens } = call;
  const rendering = renderMessages({ ...vendor, prompt: call.prompt, model });
  if (rendering.kind === 'unsendable') return failed(unsendable(rendering.reason));
  const { asked, wishes } = renderWishes(call.prompt, model);
  const limits = vendor.limits({ model: model.name, maxOutputTokens, effort: asked.reasoningEffort });
  const options = {
    prompt: rendering.prompt,
    abortSignal: of.signal,
    ...wishes,
    ...limits.options,
    providerOptions: mergeOptions(vendor.ownOptions(asked), limits.options.providerOptions ?? {}),
  };
  const bounds = {
    inputTokensMax: inputTokensMax({ prompt: call.prompt, model, kind: settings.kind }),
    outputTokensMax: maxOutputTokens,
    mayReasonUnseen: model.capabilities.includes('reasoning'),
  };
  const languageModel = vendor.makeModel({ name: model.name, fetch: of.exchange.fetch });
  const leftOut = leftOutWarnings(call.prompt, { model, provider: settings.key, kind: settings.kind });
  const warnings = [...rendering.warnings, ...leftOut, ...limits.warnings];
  if (of.onDelta !== null) {
    return stream(sdk, {
      ...of,
      call,
      onDelta: of.onDelta,
      bounds,
      warnings,
      open: () => languageModel.doStream({ ...options, includeRawChunks: true }),
    });
  }
  const result = await languageModel.doGenerate(options);
  const answer = answerOf(result, { ...bounds, warnings, refusal: refusalIn(result) });
  if (answer !== null) return { kind: 'answered', answer };
  return failed(failureIn(sdk, { ...of, error: new Error(NO_ANSWER), said: [] }));
}

const NO_ANSWER = 'it holds no text and no reason for that';

interface Streaming extends Conversation {
  readonly call: ProviderCall;
  readonly onDelta: OnDelta;
  readonly bounds: Omit<Received, 'text'>;
  readonly warnings: readonly string[];
  readonly open: () => PromiseLike<LanguageModelV4StreamResult>;
}

/** Passes a stream on to its end. One that breaks off is charged for what was received, not for what was held. */
async function stream(sdk: Sdk, of: Streaming): Promise<ProviderResult> {
  const { bounds, warnings, exchange } = of;
  const collector = makeCollector(of.onDelta);
  try {
    const { stream: parts } = await of.open();
    for await (const part of parts) collector.take(part);
    const { result, refusal } = collector.collected();
    // No word on why it ended: the connection was closed as if all had been said.
    if (result === null || result.finishReason.raw === undefined) throw new Error(NO_END);
    const answer = answerOf(result, { ...bounds, warnings, refusal });
    if (answer === null) throw new Error(NO_ANSWER);
    return { kind: 'answered', answer };
  } catch (error) {
    const { received, inputTokens } = collector.collected();
    const failure = failureIn(sdk, {
      exchange,
      signal: of.signal,
      error,
      said: [...textsIn(of.call.prompt), received],
    });
    if (received === '' || failure.billed === 'nothing') return failed(failure);
    return { kind: 'cut', failure, usage: usageOf(reportedSoFar(inputTokens), { ...bounds, text: received }) };
  }
}

const NO_END = 'it broke off without an end';

function reportedSoFar(inputTokens: number | null): LanguageModelV4Usage {
  const total = inputTokens ?? undefined;
  return {
    inputTokens: { total, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
    outputTokens: { total: undefined, text: undefined, reasoning: undefined },
  };
}

function failureIn(
  sdk: Sdk,
  of: Pick<Conversation, 'exchange' | 'signal'> & { readonly error: unknown; readonly said: readonly string[] },
): Failure {
  const { settings } = sdk;
  return failureOf({
    progress: of.exchange.progress(),
    error: of.error,
    signal: of.signal,
    nowMs: settings.clock.now(),
    areErrorsBilled: settings.areErrorsBilled,
    said: of.said,
    secrets: settings.apiKey === null ? [] : [settings.apiKey],
  });
}

function failed(failure: Failure): ProviderResult {
  return { kind: 'failed', failure };
}
