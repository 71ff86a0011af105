import type { Failure } from '../../src/core/failure.ts';
import { AttemptAborted } from '../../src/core/failure.ts';
import { providerKey } from '../../src/core/ids.ts';
import type { OnDelta, ProviderCall, ProviderPort, ProviderResult } from '../../src/ports/provider.ts';

/** What a scripted provider does on one call. `hang` ends only when the attempt's signal aborts. */
export type Act =
  | { readonly kind: 'answer'; readonly inputTokens?: number; readonly outputTokens?: number }
  | { readonly kind: 'fail'; readonly failure: Partial<Failure> & Pick<Failure, 'kind'> }
  | { readonly kind: 'hang' }
  /** Tells these pieces one after the other, each at the end of its wait, and then does the act. */
  | { readonly kind: 'stream'; readonly pieces: readonly (string | Promise<string>)[]; readonly after: Act }
  /** Breaks off: what was told so far counts. */
  | { readonly kind: 'cut'; readonly outputTokens: number }
  /** Ends when the test says so. */
  | { readonly kind: 'wait'; readonly until: Promise<unknown>; readonly after: Act };

export interface ScriptedProvider extends ProviderPort {
  /** From now on: these acts in turn, the last one for ever. */
  script(...acts: readonly Act[]): void;
  /** Calls received so far. */
  readonly calls: readonly ProviderCall[];
}

/** A provider that does what a test tells it to, and bills as it says. Its bound is the number of characters. */
export function makeScriptedProvider(key: string, ...acts: readonly Act[]): ScriptedProvider {
  const calls: ProviderCall[] = [];
  let script: readonly Act[] = acts.length === 0 ? [{ kind: 'answer' }] : acts;
  let at = 0;
  return {
    key: providerKey(key),
    calls,
    script(...next) {
      script = next;
      at = 0;
    },
    inputTokensMax: (prompt) =>
      prompt.messages.reduce((sum, message) => {
        const lengths = message.parts.map((part) => (part.kind === 'text' ? part.text.length : 0));
        return sum + lengths.reduce((total, length) => total + length, 0);
      }, 0),
    async call(call, signal, onDelta) {
      calls.push(call);
      const act = script[Math.min(at, script.length - 1)] ?? { kind: 'answer' };
      at += 1;
      return play(act, call, signal, onDelta);
    },
  };
}

async function play(
  act: Act,
  call: ProviderCall,
  signal: AbortSignal,
  onDelta: OnDelta = () => undefined,
): Promise<ProviderResult> {
  switch (act.kind) {
    case 'answer': {
      const { inputTokens = 10, outputTokens = 5 } = act;
      const usage = {
        inputTokens,
        outputTokens,
        cachedInputTokens: 0,
        reasoningTokens: 0,
        source: 'reported',
      } as const;
      return {
        kind: 'answered',
        answer: {
          text: `answer of ${call.model.name}`,
          refusal: null,
          toolCalls: [],
          logprobs: null,
          finishReason: 'stop',
          usage,
          warnings: [],
        },
      };
    }
    case 'fail':
      return failed(act.failure);
    case 'hang':
      return aborted(signal);
    case 'wait': {
      const isAborted = await Promise.race([act.until.then(() => false), whenAborted(signal).then(() => true)]);
      return isAborted ? aborted(signal) : play(act.after, call, signal, onDelta);
    }
    case 'stream': {
      let told = 0;
      for (const piece of act.pieces) {
        const text = await Promise.race([piece, whenAborted(signal).then(() => null)]);
        if (text === null || signal.aborted) return cut(signal, told);
        onDelta({ kind: 'text', text });
        told += 1;
      }
      return play(act.after, call, signal, onDelta);
    }
    case 'cut':
      return { ...failed({ kind: 'networkError', billed: 'unknown' }), kind: 'cut', usage: counted(act.outputTokens) };
    default:
      return act satisfies never;
  }
}

function counted(outputTokens: number) {
  return { inputTokens: 10, outputTokens, cachedInputTokens: 0, reasoningTokens: 0, source: 'counted' } as const;
}

/** A piece is a token. */
async function cut(signal: AbortSignal, outputTokens: number): Promise<ProviderResult> {
  const end = await aborted(signal);
  return outputTokens === 0 || end.kind !== 'failed' ? end : { ...end, kind: 'cut', usage: counted(outputTokens) };
}

async function aborted(signal: AbortSignal): Promise<ProviderResult> {
  await whenAborted(signal);
  const kind = signal.reason instanceof AttemptAborted ? signal.reason.cause : 'cancelled';
  return failed({ kind, billed: 'unknown' });
}

function whenAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

function failed(failure: Partial<Failure> & Pick<Failure, 'kind'>): Extract<ProviderResult, { kind: 'failed' }> {
  return {
    kind: 'failed',
    failure: {
      message: `scripted ${failure.kind}`,
      httpStatus: null,
      retryAfterMs: null,
      billed: 'nothing',
      isSimulated: false,
      ...failure,
    },
  };
}
