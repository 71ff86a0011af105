export const ROLES = ['system', 'developer', 'user', 'assistant', 'tool'] as const;

/** Who speaks in a conversation. */
export type Role = (typeof ROLES)[number];

export const IMAGE_DETAILS = ['auto', 'low', 'high'] as const;

export type ImageDetail = (typeof IMAGE_DETAILS)[number];

export type Part =
  | { readonly kind: 'text'; readonly text: string }
  /** An image by https or data URL. `detail`: how closely it is looked at. Null: as the provider usually does. */
  | { readonly kind: 'image'; readonly url: string; readonly detail: ImageDetail | null };

/** A call of a function that the model wants made. */
export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** As the model wrote them: usually a JSON object, not guaranteed. */
  readonly arguments: string;
}

/** One message. It has at least one part, but for an assistant that only called tools. */
export type Message =
  | { readonly role: 'system' | 'developer' | 'user'; readonly parts: readonly Part[] }
  /** `toolCalls` has at least one. Null: it called none. */
  | { readonly role: 'assistant'; readonly parts: readonly Part[]; readonly toolCalls: readonly ToolCall[] | null }
  /** The result of the tool call with that id. */
  | { readonly role: 'tool'; readonly parts: readonly Part[]; readonly toolCallId: string };

/** All text of a message, parts joined by a line break. */
export function textOf(message: Message): string {
  return message.parts.flatMap((part) => (part.kind === 'text' ? [part.text] : [])).join('\n');
}

/** The tool calls that an assistant made in a message. */
export function toolCallsOf(message: Message): readonly ToolCall[] {
  return message.role === 'assistant' ? (message.toolCalls ?? []) : [];
}

export function imageCountOf(messages: readonly Message[]): number {
  return messages.reduce((sum, message) => sum + message.parts.filter((part) => part.kind === 'image').length, 0);
}

/** The text of the newest user message: what the caller asks now. Empty when there is none. */
export function promptOf(messages: readonly Message[]): string {
  const newest = messages.findLast((message) => message.role === 'user');
  return newest === undefined ? '' : textOf(newest);
}
