import type { LanguageModelV4Message, LanguageModelV4Prompt, LanguageModelV4ToolCallPart } from '@ai-sdk/provider';
import { type Message, type ToolCall, textOf, toolCallsOf } from '../core/message.ts';
import type { Prompt } from '../core/prompt.ts';
import type { ModelSpec } from '../core/registry.ts';
import { isJsonObject } from '../core/tool.ts';
import { hasDetail, imageFaultOf, renderImage } from './rendering-images.ts';

/** A prompt in the words of the provider packages, or why it cannot be put into them. */
export type Rendering =
  | { readonly kind: 'rendered'; readonly prompt: LanguageModelV4Prompt; readonly warnings: readonly string[] }
  | { readonly kind: 'unsendable'; readonly reason: string };

const DETAIL_LEFT_OUT = 'The detail of images was not sent: this provider takes none.';

const SYSTEM_MOVED = 'System messages were moved before the conversation: this provider takes them only there.';

/** How a vendor takes system messages: wherever they stand, or only before the conversation. */
export type SystemPlace = 'anywhere' | 'first';

/**
 * Renders messages. `developer` is sent as `system`; the OpenAI package names it `developer` again for the models that want it.
 * Gemini's package throws on a system message in mid-conversation and Anthropic takes one only from some models, so for these
 * two they are moved to the front.
 */
export function renderMessages(of: {
  readonly prompt: Prompt;
  readonly model: ModelSpec;
  readonly systemPlace: SystemPlace;
  readonly takesImageDetail: boolean;
}): Rendering {
  const { messages } = of.prompt;
  const imageFault = imageFaultOf(messages, of.model);
  if (imageFault !== null) return { kind: 'unsendable', reason: imageFault };
  const ordered = of.systemPlace === 'first' ? systemFirst(messages) : messages;
  const names = calledNames(messages);
  const isMoved = ordered.some((message, index) => message !== messages[index]);
  return {
    kind: 'rendered',
    prompt: ordered.map((message) => renderMessage(message, names)),
    warnings: [
      ...(isMoved ? [SYSTEM_MOVED] : []),
      ...(hasDetail(messages) && !of.takesImageDetail ? [DETAIL_LEFT_OUT] : []),
      ...argumentWarnings(messages),
    ],
  };
}

function systemFirst(messages: readonly Message[]): readonly Message[] {
  const isSystem = (message: Message): boolean => message.role === 'system' || message.role === 'developer';
  return [...messages.filter(isSystem), ...messages.filter((message) => !isSystem(message))];
}

/** The names of all functions called so far, by the ids of their calls: a result names only the id. */
function calledNames(messages: readonly Message[]): ReadonlyMap<string, string> {
  return new Map(messages.flatMap(toolCallsOf).map(({ id, name }) => [id, name]));
}

function renderMessage(message: Message, names: ReadonlyMap<string, string>): LanguageModelV4Message {
  switch (message.role) {
    case 'system':
    case 'developer':
      return { role: 'system', content: textOf(message) };
    case 'assistant': {
      const text = textOf(message);
      const written = text === '' ? [] : [{ type: 'text' as const, text }];
      return { role: 'assistant', content: [...written, ...toolCallsOf(message).map(renderToolCall)] };
    }
    case 'tool': {
      const { toolCallId } = message;
      const output = { type: 'text' as const, value: textOf(message) };
      const toolName = names.get(toolCallId) ?? '';
      return { role: 'tool', content: [{ type: 'tool-result', toolCallId, toolName, output }] };
    }
    case 'user':
      return {
        role: 'user',
        content: message.parts.map((part) =>
          part.kind === 'text' ? { type: 'text', text: part.text } : renderImage(part),
        ),
      };
    default:
      return message satisfies never;
  }
}

/** Arguments go out as they were written: parsed and written again, a long number would come out rounded. */
function renderToolCall(call: ToolCall): LanguageModelV4ToolCallPart {
  const input = isObjectText(call.arguments) ? call.arguments : {};
  return { type: 'tool-call', toolCallId: call.id, toolName: call.name, input };
}

function isObjectText(text: string): boolean {
  try {
    return isJsonObject(JSON.parse(text));
  } catch {
    return false;
  }
}

function argumentWarnings(messages: readonly Message[]): readonly string[] {
  return messages
    .flatMap(toolCallsOf)
    .filter((call) => !isObjectText(call.arguments))
    .map(({ id }) => `The arguments of tool call ${id} are not a JSON object, so they were sent as {}.`);
}
