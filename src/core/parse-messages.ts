import { CHAT_LIMITS } from './chat-request.ts';
import type { Message, Part } from './message.ts';
import type { RawChat, RawMessage, RawPart, Report } from './raw-chat.ts';

/** The conversation a chat asks about: the system instruction, then either the messages or the one prompt. */
export function parseMessages(raw: RawChat, report: Report): readonly Message[] {
  const system = raw.system ?? null;
  if (system !== null && isBlank(system)) report(['system'], 'must not be empty; leave it out instead');
  const instruction = system === null ? [] : [textMessage('system', system)];
  const prompt = raw.prompt ?? null;
  const messages = raw.messages ?? null;
  if (prompt !== null && messages !== null) {
    report(['prompt'], 'send either `prompt` or `messages`, not both');
    return instruction;
  }
  if (prompt !== null) {
    if (isBlank(prompt)) report(['prompt'], 'must not be empty: say what to ask');
    return [...instruction, textMessage('user', prompt)];
  }
  if (messages === null || messages.length === 0) {
    report(
      messages === null ? ['prompt'] : ['messages'],
      'one of `prompt` and `messages` is required: say what to ask',
    );
    return instruction;
  }
  if (messages.length > CHAT_LIMITS.messagesMax) {
    report(['messages'], `has ${messages.length} messages; at most ${CHAT_LIMITS.messagesMax} are taken`);
    return instruction;
  }
  if (!messages.some((message) => message.role === 'user')) {
    report(['messages'], 'at least one message must come from USER');
  }
  return [...instruction, ...messages.map((message, index) => parseMessage(message, index, report))];
}

function parseMessage(raw: RawMessage, index: number, report: Report): Message {
  const content = raw.content ?? null;
  const parts = raw.parts ?? null;
  if (content !== null && parts !== null) {
    report(['messages', index], 'send either `content` or `parts`, not both');
  }
  if (parts !== null) {
    if (parts.every(isBlankPart)) report(['messages', index, 'parts'], 'must not be empty');
    return { role: raw.role, parts: parts.flatMap((part, place) => parsePart(part, [index, place], report)) };
  }
  if (content === null || isBlank(content)) {
    report(['messages', index, 'content'], 'must not be empty');
  }
  return textMessage(raw.role, content ?? '');
}

function parsePart(raw: RawPart, [index, place]: readonly [number, number], report: Report): readonly Part[] {
  const text = raw.text ?? null;
  if (text !== null) return [{ kind: 'text', text }];
  const url = raw.imageUrl ?? '';
  if (!/^(https:\/\/|data:image\/)/.test(url)) {
    report(['messages', index, 'parts', place, 'imageUrl'], 'must be an https or a data:image URL');
    return [];
  }
  return [{ kind: 'image', url }];
}

function textMessage(role: Message['role'], text: string): Message {
  return { role, parts: [{ kind: 'text', text }] };
}

function isBlank(text: string): boolean {
  return text.trim() === '';
}

function isBlankPart(part: RawPart): boolean {
  return typeof part.text === 'string' && isBlank(part.text);
}
