import { type Delta, wholeOf } from '../core/delta.ts';
import { abortFailure, type Failure } from '../core/failure.ts';
import type { ProviderKey } from '../core/ids.ts';
import { promptOf, textOf } from '../core/message.ts';
import type { Answer, Prompt } from '../core/prompt.ts';
import type { Chance, Clock } from '../ports/clock.ts';
import type { OnDelta, ProviderCall, ProviderPort, ProviderResult } from '../ports/provider.ts';
import { pause } from './pause.ts';
import { leftOutWarnings } from './render-wishes.ts';

/** How many characters of the prompt the mock repeats. */
const ECHO_CHARS = 50;
/** How much of its time a mock lets pass before the first word of a stream. */
const FIRST_WORD_SHARE = 0.3;
/** The seed's measure of a token. */
const CHARS_PER_TOKEN = 4;

export interface MockSettings {
  /** Also the name in the mock's answers. */
  readonly key: ProviderKey;
  /** One for all mocks together, so that a sequential run repeats the seed's. */
  readonly chance: Chance;
  /** Share of attempts that fail, 0 to 1. */
  readonly failureRate: number;
  /** 1: the model's typical latency; 0: no waiting. */
  readonly latencyScale: number;
  readonly clock: Clock;
}

/** The seed's stand-in for a provider: it waits, then repeats the start of the prompt or fails by chance. */
export function makeMock(settings: MockSettings): ProviderPort {
  return {
    key: settings.key,
    inputTokensMax: (prompt) => inputTokensOf(prompt),
    call(call, signal, onDelta) {
      // Drawn before anything is awaited, even for an attempt that is already over: one attempt, one draw.
      const isFailing = settings.chance.next() < settings.failureRate;
      return onDelta === undefined
        ? play(settings, call, { signal, isFailing })
        : stream(settings, call, { signal, isFailing, onDelta });
    },
  };
}

async function play(
  settings: MockSettings,
  call: ProviderCall,
  of: { readonly signal: AbortSignal; readonly isFailing: boolean },
): Promise<ProviderResult> {
  const { clock, key } = settings;
  const waited = await pause({ clock, ms: call.model.typicalLatencyMs * settings.latencyScale, signal: of.signal });
  if (waited === 'aborted') return { kind: 'failed', failure: abortFailure(of.signal, { billed: 'nothing' }) };
  return of.isFailing ? { kind: 'failed', failure: chanceFailure(key) } : { kind: 'answered', answer: echo(key, call) };
}

/** The same answer in the same time, word by word. */
async function stream(
  settings: MockSettings,
  call: ProviderCall,
  of: { readonly signal: AbortSignal; readonly isFailing: boolean; readonly onDelta: OnDelta },
): Promise<ProviderResult> {
  const { clock, key } = settings;
  const { signal } = of;
  const wholeMs = call.model.typicalLatencyMs * settings.latencyScale;
  const waited = await pause({ clock, ms: wholeMs * FIRST_WORD_SHARE, signal });
  if (waited === 'aborted') return { kind: 'failed', failure: abortFailure(signal, { billed: 'nothing' }) };
  if (of.isFailing) return { kind: 'failed', failure: chanceFailure(key) };
  const answer = echo(key, call);
  const pieces = piecesOf(answer);
  let written = '';
  for (const piece of pieces) {
    written += piece.kind === 'toolCall' ? (piece.argumentsChunk ?? '') : piece.text;
    of.onDelta(piece);
    const passed = await pause({ clock, ms: (wholeMs * (1 - FIRST_WORD_SHARE)) / pieces.length, signal });
    if (passed === 'passed') continue;
    const usage = { ...answer.usage, outputTokens: tokensOf(charactersOf(written).length), source: 'counted' } as const;
    return { kind: 'cut', failure: abortFailure(signal, { billed: 'unknown' }), usage };
  }
  return { kind: 'answered', answer };
}

/** Text word by word, then each tool call as a whole. */
function piecesOf({ text, toolCalls }: Answer): readonly Delta[] {
  const words = text?.match(/\s*\S+/g) ?? [];
  return [...words.map((word) => ({ kind: 'text' as const, text: word })), ...wholeOf({ text: null, toolCalls })];
}

function chanceFailure(key: ProviderKey): Failure {
  return {
    kind: 'providerError',
    message: `HTTP 500: the mock of ${key} failed by chance.`,
    httpStatus: 500,
    retryAfterMs: null,
    billed: 'nothing',
    isSimulated: false,
  };
}

/** The seed's answer. Where a tool must be called it calls that, without arguments; where JSON is wanted the answer is in JSON. */
function echo(key: ProviderKey, call: ProviderCall): Answer {
  const { prompt, maxOutputTokens } = call;
  const warnings = warningsOf(key, call);
  const name = mustCall(prompt);
  if (name !== null) {
    const toolCall = { id: `call_${name}`, name, arguments: '{}' };
    return answer(prompt, { toolCalls: [toolCall], written: toolCall.arguments, finishReason: 'toolCalls', warnings });
  }
  const start = charactersOf(promptOf(prompt.messages)).slice(0, ECHO_CHARS).join('');
  const plain = `Mock response from ${key}: ${start}...`;
  const whole = charactersOf(prompt.responseFormat === null ? plain : JSON.stringify({ response: plain }));
  const isCut = tokensOf(whole.length) > maxOutputTokens;
  const written = isCut ? whole.slice(0, maxOutputTokens * CHARS_PER_TOKEN) : whole;
  return answer(prompt, {
    toolCalls: [],
    written: written.join(''),
    finishReason: isCut ? 'length' : 'stop',
    warnings,
  });
}

/** What it was not told: as much as the model that it stands in for would not be. */
function warningsOf(provider: ProviderKey, { prompt, model }: ProviderCall): readonly string[] {
  return [
    ...leftOutWarnings(prompt, { model, provider, kind: 'mock' }),
    ...(prompt.responseFormat?.kind === 'jsonSchema' ? ['A mock answers in JSON, and follows no schema.'] : []),
  ];
}

function answer(
  prompt: Prompt,
  of: Pick<Answer, 'toolCalls' | 'finishReason' | 'warnings'> & { readonly written: string },
): Answer {
  return {
    text: of.toolCalls.length > 0 ? null : of.written,
    refusal: null,
    toolCalls: of.toolCalls,
    logprobs: null,
    finishReason: of.finishReason,
    usage: {
      inputTokens: inputTokensOf(prompt),
      cachedInputTokens: 0,
      outputTokens: tokensOf(charactersOf(of.written).length),
      reasoningTokens: 0,
      source: 'reported',
    },
    warnings: of.warnings,
  };
}

/** The function that the answer must call. Null: none must be. */
function mustCall({ tools }: Prompt): string | null {
  const choice = tools?.choice ?? null;
  if (choice?.kind === 'function') return choice.name;
  return choice?.kind === 'required' ? (tools?.tools[0]?.name ?? null) : null;
}

/** The seed's estimate. It is what a mock charges, so here it is exact and not too low. */
function inputTokensOf(prompt: Prompt): number {
  return tokensOf(prompt.messages.reduce((sum, message) => sum + charactersOf(textOf(message)).length, 0));
}

function tokensOf(characters: number): number {
  return Math.ceil(characters / CHARS_PER_TOKEN);
}

/** Code points, as Python counts and slices. */
function charactersOf(text: string): readonly string[] {
  return [...text];
}
