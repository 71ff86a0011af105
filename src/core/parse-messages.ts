import { CHAT_LIMITS } from './chat-request.ts';
import type { Message, Part, Role, ToolCall } from './message.ts';
import type { RawChat, RawMessage, RawPart, Report } from './raw-chat.ts';
import { isToolName, TOOL_NAME_RULE } from './tool.ts';

/** The conversation a chat asks about: the system instruction, then either the messages or the one prompt. */
export function parseMessages(raw: RawChat, report: Report): readonly Message[] {
  const system = raw.system ?? null;
  if (system !== null && isBlank(system)) report(['system'], 'must not be empty; leave it out instead');
  const instruction = system === null ? [] : [systemMessage(system)];
  const prompt = raw.prompt ?? null;
  const messages = raw.messages ?? null;
  if (prompt !== null && messages !== null) {
    report(['prompt'], 'send either `prompt` or `messages`, not both');
    return instruction;
  }
  if (prompt !== null) {
    if (isBlank(prompt)) report(['prompt'], 'must not be empty: say what to ask');
    return [...instruction, { role: 'user', parts: [textPart(prompt)] }];
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
  checkResults(messages, report);
  const spoken = messages.flatMap((message, index) =>
    isSilent(message) ? [] : [parseMessage(message, index, report)],
  );
  return [...instruction, ...spoken];
}

/** Programs send such ones where they have nothing to say, and providers refuse them. Somebody who asks must say something. */
function isSilent({ role, content, parts, toolCalls, toolCallId }: RawMessage): boolean {
  if (role === 'user' || role === 'tool') return false;
  const isCalling = (toolCalls ?? []).length > 0 || (toolCallId ?? null) !== null;
  return !isCalling && isBlank(content ?? '') && (parts ?? []).every(isBlankPart);
}

function parseMessage(raw: RawMessage, index: number, report: Report): Message {
  const toolCalls = parseToolCalls(raw, index, report);
  const toolCallId = raw.toolCallId ?? null;
  if (toolCallId !== null && raw.role !== 'tool') {
    report(['messages', index, 'toolCallId'], 'is only for TOOL messages');
  }
  const parts = parseContent(raw, { index, mayBeEmpty: toolCalls !== null }, report);
  switch (raw.role) {
    case 'assistant':
      return { role: raw.role, parts, toolCalls };
    case 'tool':
      return { role: raw.role, parts, toolCallId: toolCallId ?? '' };
    case 'system':
    case 'developer':
    case 'user':
      return { role: raw.role, parts };
    default:
      return raw.role satisfies never;
  }
}

function parseContent(
  raw: RawMessage,
  { index, mayBeEmpty }: { readonly index: number; readonly mayBeEmpty: boolean },
  report: Report,
): readonly Part[] {
  const content = raw.content ?? null;
  const parts = raw.parts ?? null;
  if (content !== null && parts !== null) {
    report(['messages', index], 'send either `content` or `parts`, not both');
  }
  if (parts !== null) {
    if (parts.every(isBlankPart) && !mayBeEmpty) report(['messages', index, 'parts'], 'must not be empty');
    return parts.flatMap((part, place) =>
      parsePart(part, { role: raw.role, path: ['messages', index, 'parts', place] }, report),
    );
  }
  // A tool may have nothing to say: that it was run is its result.
  const isBlankContent = content === null || isBlank(content);
  if (isBlankContent && raw.role !== 'tool' && !mayBeEmpty) {
    report(['messages', index, 'content'], 'must not be empty');
  }
  return isBlankContent && mayBeEmpty ? [] : [textPart(content ?? '')];
}

function parseToolCalls(raw: RawMessage, index: number, report: Report): readonly ToolCall[] | null {
  const calls = raw.toolCalls ?? [];
  if (calls.length === 0) return null;
  if (raw.role !== 'assistant') report(['messages', index, 'toolCalls'], 'is only for ASSISTANT messages');
  if (calls.length > CHAT_LIMITS.toolCallsMax) {
    report(['messages', index, 'toolCalls'], `at most ${CHAT_LIMITS.toolCallsMax} calls are taken`);
  }
  calls.forEach((call, place) => {
    if (!isToolName(call.name)) report(['messages', index, 'toolCalls', place, 'name'], TOOL_NAME_RULE);
    if (call.id === '' || call.id.length > CHAT_LIMITS.toolCallIdCharsMax) {
      const charsMax = CHAT_LIMITS.toolCallIdCharsMax;
      report(['messages', index, 'toolCalls', place, 'id'], `must have 1 to ${charsMax} characters`);
    }
  });
  return calls.map(({ id, name, arguments: text }) => ({ id, name, arguments: text }));
}

/** Each result must answer a call that was made before it: no provider takes any other. */
function checkResults(messages: readonly RawMessage[], report: Report): void {
  const called = new Set<string>();
  messages.forEach((message, index) => {
    for (const { id } of message.toolCalls ?? []) called.add(id);
    if (message.role !== 'tool') return;
    const id = message.toolCallId ?? '';
    if (called.has(id)) return;
    const why =
      id === '' ? 'is required: say which tool call this answers' : 'no earlier message made a tool call with this id';
    report(['messages', index, 'toolCallId'], why);
  });
}

function parsePart(
  raw: RawPart,
  { role, path }: { readonly role: Role; readonly path: Parameters<Report>[0] },
  report: Report,
): readonly Part[] {
  const text = raw.text ?? null;
  if (text !== null) return [{ kind: 'text', text }];
  const url = raw.imageUrl ?? '';
  if (!/^(https:\/\/|data:image\/)/.test(url)) {
    report([...path, 'imageUrl'], 'must be an https or a data:image URL');
    return [];
  }
  if (role !== 'user') report([...path, 'imageUrl'], 'images are possible only in USER messages');
  return [{ kind: 'image', url, detail: raw.detail ?? null }];
}

function systemMessage(text: string): Message {
  return { role: 'system', parts: [textPart(text)] };
}

function textPart(text: string): Part {
  return { kind: 'text', text };
}

function isBlank(text: string): boolean {
  return text.trim() === '';
}

function isBlankPart(part: RawPart): boolean {
  return typeof part.text === 'string' && isBlank(part.text);
}
