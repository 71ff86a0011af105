import type {
  LanguageModelV4Content,
  LanguageModelV4GenerateResult,
  LanguageModelV4StreamPart,
  SharedV4Warning,
} from '@ai-sdk/provider';
import type { OnDelta } from '../ports/provider.ts';
import { earlyInputTokens } from './early-count.ts';
import { fieldAt } from './json-field.ts';
import { writtenCall } from './token-bound.ts';

/** What came of a stream so far. */
export interface Collected {
  /** All that the model wrote, for counting. Empty before its first piece. */
  readonly received: string;
  /** As the provider reported it on the way. Null: it did not. */
  readonly inputTokens: number | null;
  /** The model's own refusal. Null when there is none. */
  readonly refusal: string | null;
  /** In the shape of an answer that came as a whole. Null before the provider said how it ended. */
  readonly result: LanguageModelV4GenerateResult | null;
}

/** Collects the parts of a stream, and tells each piece of the answer as it comes. */
export interface Collector {
  /** Throws the error that a part tells of. */
  take(part: LanguageModelV4StreamPart): void;
  collected(): Collected;
}

export function makeCollector(onDelta: OnDelta): Collector {
  let reasoning = '';
  let inputTokens: number | null = null;
  let warnings: readonly SharedV4Warning[] = [];
  let end: Pick<LanguageModelV4GenerateResult, 'finishReason' | 'usage'> | null = null;
  const texts = collectTexts(onDelta);
  const calls = collectCalls(onDelta);
  const take = (part: LanguageModelV4StreamPart) => {
    switch (part.type) {
      case 'stream-start':
        warnings = part.warnings;
        return;
      case 'raw':
        inputTokens = earlyInputTokens(part.rawValue) ?? inputTokens;
        texts.frame(part.rawValue);
        return;
      case 'text-delta':
        texts.piece(part.delta);
        return;
      case 'reasoning-delta':
        if (part.delta === '') return;
        reasoning += part.delta;
        onDelta({ kind: 'reasoning', text: part.delta });
        return;
      case 'tool-input-start':
        calls.piece(part.id, part.toolName, null);
        return;
      case 'tool-input-delta':
        calls.piece(part.id, '', part.delta);
        return;
      case 'tool-call':
        calls.whole(part.toolCallId, part.toolName, part.input);
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
    { type: 'text', text: texts.text() },
    { type: 'text', text: texts.refusal() },
    { type: 'reasoning', text: reasoning },
    ...calls.written(),
  ];
  return {
    take,
    collected: () => ({
      received: [texts.text(), texts.refusal(), reasoning, ...calls.written().map(writtenCall)].join(''),
      inputTokens,
      refusal: texts.refusal() === '' ? null : texts.refusal(),
      result: end === null ? null : { content: content(), warnings: [...warnings], ...end },
    }),
  };
}

/** The text, and apart from it the refusal, which a package tells as the last text of the frame that has it. */
function collectTexts(onDelta: OnDelta) {
  let text = '';
  let refusal = '';
  let declined: string | null = null;
  return {
    /** A frame as it came; its parts follow. */
    frame(raw: unknown) {
      const piece = fieldAt(raw, 'choices', 0, 'delta', 'refusal');
      declined = typeof piece === 'string' ? piece : null;
    },
    piece(delta: string) {
      if (delta === '') return;
      if (delta === declined) {
        refusal += delta;
        return;
      }
      text += delta;
      onDelta({ kind: 'text', text: delta });
    },
    text: () => text,
    refusal: () => refusal,
  };
}

interface OpenCall {
  readonly index: number;
  readonly name: string;
  arguments: string;
}

function collectCalls(onDelta: OnDelta) {
  const calls = new Map<string, OpenCall>();
  const piece = (id: string, name: string, chunk: string | null) => {
    const known = calls.get(id);
    const call = known ?? { index: calls.size, name, arguments: '' };
    call.arguments += chunk ?? '';
    calls.set(id, call);
    if (known === undefined) onDelta({ kind: 'toolCall', index: call.index, id, name, argumentsChunk: chunk });
    else if (chunk !== null && chunk !== '') {
      onDelta({ kind: 'toolCall', index: call.index, id: null, name: null, argumentsChunk: chunk });
    }
  };
  return {
    piece,
    /** The call again, whole, after its pieces. Arguments that came with its beginning, or not at all, are told only here. */
    whole(id: string, name: string, input: string) {
      const told = calls.get(id)?.arguments ?? '';
      if (input.startsWith(told)) piece(id, name, input.slice(told.length));
    },
    written: () =>
      Array.from(calls, ([toolCallId, call]) => ({
        type: 'tool-call' as const,
        toolCallId,
        toolName: call.name,
        input: call.arguments,
      })),
  };
}
