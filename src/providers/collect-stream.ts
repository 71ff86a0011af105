import type {
  LanguageModelV4Content,
  LanguageModelV4GenerateResult,
  LanguageModelV4StreamPart,
  SharedV4Warning,
} from '@ai-sdk/provider';
import type { OnDelta } from '../ports/provider.ts';

/** What came of a stream so far, in the shape of an answer that came as a whole. */
export interface Collected {
  readonly text: string;
  readonly reasoning: string;
  /** Null before the provider said how it ended. */
  readonly result: LanguageModelV4GenerateResult | null;
}

/** Collects the parts of a stream, and tells each piece of the answer as it comes. */
export interface Collector {
  /** Throws the error that a part tells of. */
  take(part: LanguageModelV4StreamPart): void;
  collected(): Collected;
}

interface OpenCall {
  readonly index: number;
  readonly name: string;
  arguments: string;
}

export function makeCollector(onDelta: OnDelta): Collector {
  let text = '';
  let reasoning = '';
  let warnings: readonly SharedV4Warning[] = [];
  let end: Pick<LanguageModelV4GenerateResult, 'finishReason' | 'usage'> | null = null;
  const calls = new Map<string, OpenCall>();

  const takeCall = (id: string, name: string, chunk: string | null) => {
    const known = calls.get(id);
    const call = known ?? { index: calls.size, name, arguments: '' };
    call.arguments += chunk ?? '';
    calls.set(id, call);
    if (known === undefined) onDelta({ kind: 'toolCall', index: call.index, id, name, argumentsChunk: chunk });
    else if (chunk !== null && chunk !== '') {
      onDelta({ kind: 'toolCall', index: call.index, id: null, name: null, argumentsChunk: chunk });
    }
  };
  const take = (part: LanguageModelV4StreamPart) => {
    switch (part.type) {
      case 'stream-start':
        warnings = part.warnings;
        return;
      case 'text-delta':
        if (part.delta === '') return;
        text += part.delta;
        onDelta({ kind: 'text', text: part.delta });
        return;
      case 'reasoning-delta':
        if (part.delta === '') return;
        reasoning += part.delta;
        onDelta({ kind: 'reasoning', text: part.delta });
        return;
      case 'tool-input-start':
        takeCall(part.id, part.toolName, null);
        return;
      case 'tool-input-delta':
        takeCall(part.id, '', part.delta);
        return;
      case 'tool-call':
        // The whole call again, where its pieces came before.
        if (!calls.has(part.toolCallId)) takeCall(part.toolCallId, part.toolName, part.input);
        return;
      case 'finish':
        end = { finishReason: part.finishReason, usage: part.usage };
        return;
      case 'error':
        throw part.error;
      default:
        // Keep-alives, sources, files and the ends of blocks: nothing of the answer that Switchyard passes on.
        return;
    }
  };
  const content = (): LanguageModelV4Content[] => [
    { type: 'text', text },
    { type: 'reasoning', text: reasoning },
    ...Array.from(calls, ([toolCallId, call]) => ({
      type: 'tool-call' as const,
      toolCallId,
      toolName: call.name,
      input: call.arguments,
    })),
  ];
  return {
    take,
    collected: () => ({
      text,
      reasoning: reasoning + Array.from(calls.values(), (call) => call.name + call.arguments).join(''),
      result: end === null ? null : { content: content(), warnings: [...warnings], ...end },
    }),
  };
}
