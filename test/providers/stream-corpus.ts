import { readdirSync, readFileSync } from 'node:fs';
import type { Delta } from '../../src/core/delta.ts';
import type { Answer } from '../../src/core/prompt.ts';
import type { Capability } from '../../src/core/registry.ts';
import type { ProviderResult } from '../../src/ports/provider.ts';
import type { UpstreamFetch } from '../../src/providers/exchange.ts';
import type { SdkKind } from '../../src/providers/vendor.ts';
import { callOf, MODEL_NAMES, makeProvider, modelNamed } from './upstream.ts';

/** What a listener was told of one tool call, joined. */
interface ToldCall {
  readonly name: string;
  readonly arguments: string;
}

interface Story {
  /** What the stream shows. */
  readonly story: string;
  readonly kind: SdkKind;
  readonly capabilities: readonly Capability[];
  readonly expected: Pick<Answer, 'text' | 'refusal' | 'finishReason' | 'usage'> & {
    readonly reasoning: string;
    readonly toolCalls: readonly ToldCall[];
  };
}

/** A saved stream: its bytes, and what they say. */
export interface SavedStream extends Story {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const FOLDER = new URL('../fixtures/streams/', import.meta.url);

export const SAVED_STREAMS = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.json'))
  .map((file): SavedStream => {
    const story: Story = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8'));
    const name = file.slice(0, -'.json'.length);
    return { ...story, name, bytes: readFileSync(new URL(`${name}.sse`, FOLDER)) };
  });

/** Closed as if all had been said, or broken by the network. */
type Ending = 'closed' | 'broken';

export interface Wire {
  readonly pieces: readonly Uint8Array[];
  readonly ending: Ending;
}

/** What came of one call, and what its listener was told, joined. */
export interface Heard {
  readonly result: ProviderResult;
  readonly text: string;
  readonly reasoning: string;
  readonly toolCalls: readonly ToldCall[];
  /** Whether the body was read to its end or given back. */
  readonly isBodyLeft: boolean;
}

/** Calls a provider of the stream's kind whose network says `wire`: no socket, so that it can be done 100,000 times. */
export async function makeListener(saved: Pick<SavedStream, 'kind' | 'capabilities'>) {
  let fetch: UpstreamFetch = () => Promise.reject(new RangeError('nothing to say'));
  const provider = await makeProvider(saved.kind, 'http://upstream.test', { fetch: (...args) => fetch(...args) });
  const model = modelNamed(MODEL_NAMES[saved.kind], { capabilities: saved.capabilities });
  const call = callOf(saved.kind, { model });
  return {
    bounds: { inputTokens: provider.inputTokensMax(call.prompt, model), outputTokens: call.maxOutputTokens },
    async hear(wire: Wire): Promise<Heard> {
      const left = Promise.withResolvers<true>();
      fetch = async () => ({ ...HEAD, body: bodyOf(wire, () => left.resolve(true)) });
      const deltas: Delta[] = [];
      const result = await provider.call(call, new AbortController().signal, (delta) => void deltas.push(delta));
      const isBodyLeft = await Promise.race([left.promise, new Promise<false>((next) => setImmediate(next, false))]);
      return { result, isBodyLeft, ...joined(deltas) };
    },
  };
}

export type Listener = Awaited<ReturnType<typeof makeListener>>;

const HEAD = { status: 200, statusText: 'OK', headers: [['content-type', 'text/event-stream']] } as const;

async function* bodyOf({ pieces, ending }: Wire, onLeft: () => void): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces;
    if (ending === 'broken') throw new TypeError('terminated', { cause: new Error('other side closed') });
  } finally {
    onLeft();
  }
}

function joined(deltas: readonly Delta[]): Pick<Heard, 'text' | 'reasoning' | 'toolCalls'> {
  const calls: { name: string; arguments: string }[] = [];
  let text = '';
  let reasoning = '';
  for (const delta of deltas) {
    if (delta.kind === 'text') text += delta.text;
    else if (delta.kind === 'reasoning') reasoning += delta.text;
    else {
      calls[delta.index] ??= { name: delta.name ?? '', arguments: '' };
      calls[delta.index]!.arguments += delta.argumentsChunk ?? '';
    }
  }
  return { text, reasoning, toolCalls: calls };
}

/** Slices at these places, which are in rising order. */
export function sliced(bytes: Uint8Array, places: readonly number[]): readonly Uint8Array[] {
  return [0, ...places].map((from, index) => bytes.subarray(from, places[index] ?? bytes.length));
}
