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
