import type { Answer } from './prompt.ts';

/** A piece of an answer, as it comes from the provider. Pieces are appended in their order; none is empty. */
export type Delta =
  | { readonly kind: 'text'; readonly text: string }
  /** Thinking, where the provider shows it. */
  | { readonly kind: 'reasoning'; readonly text: string }
  /** Of one of the answer's tool calls. `id` and `name` come once, with its first piece; null later. */
  | {
      readonly kind: 'toolCall';
      readonly index: number;
      readonly id: string | null;
      readonly name: string | null;
      readonly argumentsChunk: string | null;
    };

/** Two pieces that follow one another as one. Null when they are not of one kind, or of two tool calls. */
export function joinDeltas(one: Delta, next: Delta): Delta | null {
  switch (next.kind) {
    case 'text':
    case 'reasoning':
      return one.kind === next.kind ? { kind: next.kind, text: one.text + next.text } : null;
    case 'toolCall':
      if (one.kind !== next.kind || one.index !== next.index || next.id !== null) return null;
      return { ...one, argumentsChunk: (one.argumentsChunk ?? '') + (next.argumentsChunk ?? '') };
    default:
      return next satisfies never;
  }
}

/** A complete answer in as few pieces as possible. */
export function wholeOf({ text, toolCalls }: Pick<Answer, 'text' | 'toolCalls'>): readonly Delta[] {
  return [
    ...(text === null ? [] : [{ kind: 'text' as const, text }]),
    ...toolCalls.map(({ id, name, arguments: argumentsChunk }, index) => ({
      kind: 'toolCall' as const,
      index,
      id,
      name,
      argumentsChunk,
    })),
  ];
}
