import type { LanguageModelV4CallOptions } from '@ai-sdk/provider';
import type { Failure } from '../core/failure.ts';
import type { ProviderKey } from '../core/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { ProviderCall, ProviderPort, ProviderResult } from '../ports/provider.ts';
import { answerOf } from './answer-of.ts';
import { type Exchange, makeExchange, type UpstreamFetch } from './exchange.ts';
import { failureOf, unsendable } from './failure-of.ts';
import { renderMessages, renderParameters, type Wishes } from './rendering.ts';
import { inputTokensMax } from './token-bound.ts';
import { BASE_URLS, loadVendor, type SdkKind, type Vendor } from './vendor.ts';

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
  const vendor = await loadVendor({ kind: settings.kind, name: settings.key, apiKey: settings.apiKey, baseUrl });
  return {
    key: settings.key,
    inputTokensMax: (prompt, model) => inputTokensMax({ prompt, model, kind: settings.kind }),
    call: (call, signal) => callOnce({ settings, vendor }, call, signal),
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
}

async function callOnce(sdk: Sdk, call: ProviderCall, signal: AbortSignal): Promise<ProviderResult> {
  const exchange = makeExchange({ fetch: sdk.settings.fetch, furtherAnswer: sdk.vendor.furtherAnswer });
  try {
    return await converse(sdk, call, { exchange, signal });
  } catch (error) {
    return failed(failureIn(sdk, { exchange, signal, error }));
  }
}

async function converse(
  sdk: Sdk,
  call: ProviderCall,
  of: { readonly exchange: Exchange; readonly signal: AbortSignal },
): Promise<ProviderResult> {
  of.signal.throwIfAborted();
  const { vendor, settings } = sdk;
  const { model, maxOutputTokens } = call;
  const rendering = renderMessages({ prompt: call.prompt, model, systemPlace: vendor.systemPlace });
  if (rendering.kind === 'unsendable') return failed(unsendable(rendering.reason));
  const parameters = renderParameters({ prompt: call.prompt, model });
  const effort = parameters.wishes.reasoningEffort;
  const limits = vendor.limits({ model: model.name, maxOutputTokens, effort });
  const result = await vendor.makeModel({ name: model.name, fetch: of.exchange.fetch }).doGenerate({
    prompt: rendering.prompt,
    abortSignal: of.signal,
    ...samplingOf(parameters.wishes),
    ...limits.options,
  });
  const answer = answerOf(result, {
    inputTokensMax: inputTokensMax({ prompt: call.prompt, model, kind: settings.kind }),
    outputTokensMax: maxOutputTokens,
    mayReasonUnseen: model.capabilities.includes('reasoning'),
    warnings: [...rendering.warnings, ...parameters.warnings, ...limits.warnings],
  });
  if (answer !== null) return { kind: 'answered', answer };
  return failed(failureIn(sdk, { ...of, error: new Error('it holds no text and no reason for that') }));
}

function failureIn(
  sdk: Sdk,
  of: { readonly exchange: Exchange; readonly signal: AbortSignal; readonly error: unknown },
): Failure {
  const { settings } = sdk;
  return failureOf({
    progress: of.exchange.progress(),
    error: of.error,
    signal: of.signal,
    nowMs: settings.clock.now(),
    areErrorsBilled: settings.areErrorsBilled,
    secrets: settings.apiKey === null ? [] : [settings.apiKey],
  });
}

type Sampling = Pick<LanguageModelV4CallOptions, 'temperature' | 'topP' | 'seed' | 'stopSequences'>;

function samplingOf(wishes: Wishes): Sampling {
  return {
    ...(wishes.temperature !== null && { temperature: wishes.temperature }),
    ...(wishes.topP !== null && { topP: wishes.topP }),
    ...(wishes.seed !== null && { seed: wishes.seed }),
    ...(wishes.stop.length > 0 && { stopSequences: [...wishes.stop] }),
  };
}

function failed(failure: Failure): ProviderResult {
  return { kind: 'failed', failure };
}
