export const ROLES = ['system', 'developer', 'user', 'assistant'] as const;

/** Who speaks in a conversation. */
export type Role = (typeof ROLES)[number];

export type Part =
  | { readonly kind: 'text'; readonly text: string }
  /** An image by https or data URL. */
  | { readonly kind: 'image'; readonly url: string };

/** One message: at least one part. */
export interface Message {
  readonly role: Role;
  readonly parts: readonly Part[];
}

/** All text of a message, parts joined by a line break. */
export function textOf(message: Message): string {
  return message.parts.flatMap((part) => (part.kind === 'text' ? [part.text] : [])).join('\n');
}

export function imageCountOf(messages: readonly Message[]): number {
  return messages.reduce((sum, message) => sum + message.parts.filter((part) => part.kind === 'image').length, 0);
}

/** The text of the newest user message: what the caller asks now. Empty when there is none. */
export function promptOf(messages: readonly Message[]): string {
  const newest = messages.findLast((message) => message.role === 'user');
  return newest === undefined ? '' : textOf(newest);
}
