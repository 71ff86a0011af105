import type { AccountKey, RequestId } from './ids.ts';
import { type Message, type ToolCall, textOf, toolCallsOf } from './message.ts';
import type { Answer } from './prompt.ts';

/** Longest prompt, and longest answer, that is kept of one request. What is longer is cut, and says so. */
export const CONTENT_LIMITS = { charsMax: 100_000 } as const;

/** What was asked and answered in one request, as text for a person. Kept only where the operator wants it. */
export interface RequestContent {
  readonly id: RequestId;
  /** Who paid. */
  readonly account: AccountKey;
  readonly prompt: string;
  /** Null without a complete answer. */
  readonly answer: string | null;
}

/** What is kept of a conversation that was sent, and of its answer. Null: none came. */
export function contentOf(
  messages: readonly Message[],
  answer: Answer | null,
): Pick<RequestContent, 'prompt' | 'answer'> {
  return {
    prompt: capped(promptTextOf(messages)),
    answer: answer === null ? null : capped(answerTextOf(answer)),
  };
}

/** A single question is its own text. Of a conversation each message stands below its role. */
function promptTextOf(messages: readonly Message[]): string {
  const [first] = messages;
  if (first?.role === 'user' && messages.length === 1) return wordsOf(first);
  return messages.map((message) => `[${message.role}]\n${wordsOf(message)}`).join('\n\n');
}

function wordsOf(message: Message): string {
  const images = message.parts.filter((part) => part.kind === 'image').map(() => '(an image)');
  return [textOf(message), ...images, ...toolCallsOf(message).map(callText)].filter((line) => line !== '').join('\n');
}

function answerTextOf({ text, refusal, toolCalls }: Answer): string {
  return [text ?? refusal ?? '', ...toolCalls.map(callText)].filter((line) => line !== '').join('\n');
}

function callText(call: ToolCall): string {
  return `${call.name}(${call.arguments})`;
}

function capped(text: string): string {
  const left = text.length - CONTENT_LIMITS.charsMax;
  if (left <= 0) return text;
  return `${text.slice(0, CONTENT_LIMITS.charsMax).toWellFormed()}\n… (${left} more characters were not kept)`;
}
