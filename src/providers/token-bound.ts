import { imageCountOf, type Message, toolCallsOf } from '../core/message.ts';
import type { Prompt } from '../core/prompt.ts';
import type { ModelSpec, ProviderKind } from '../core/registry.ts';
import { hasTools } from '../core/tool.ts';

/**
 * Tokens that a provider adds around what is sent: role marks, separators, a template's own opening. Measured: OpenAI 3 a
 * message and 3 a request (its cookbook), Anthropic about 7 a request. A compatible server may run any template, some with
 * a default system prompt of about 100 tokens. Generous, since too much only holds a little more money for a moment.
 */
const TEMPLATE_TOKENS = {
  openai: { perRequest: 32, perMessage: 16, perPart: 4 },
  anthropic: { perRequest: 64, perMessage: 16, perPart: 4 },
  gemini: { perRequest: 32, perMessage: 16, perPart: 4 },
  openaiCompatible: { perRequest: 512, perMessage: 32, perPart: 4 },
} as const satisfies Record<Exclude<ProviderKind, 'mock'>, object>;

/** The most input tokens a prompt can be billed for: every byte a token, the template, and the model's bound per image. */
export function inputTokensMax(of: {
  readonly prompt: Prompt;
  readonly model: ModelSpec;
  readonly kind: keyof typeof TEMPLATE_TOKENS;
}): number {
  const { messages } = of.prompt;
  const template = TEMPLATE_TOKENS[of.kind];
  const parts = messages.reduce((sum, message) => sum + message.parts.length, 0);
  // Null: images are never sent to a model that reads none, so they cost nothing.
  const images = imageCountOf(messages) * (of.model.imageTokensMax ?? 0);
  const text = messages.reduce((sum, message) => sum + textTokensMax(message), 0);
  const framed = template.perRequest + messages.length * template.perMessage + parts * template.perPart;
  // A compatible server may render whatever it is sent into its prompt.
  const extras = of.kind === 'openaiCompatible' && of.prompt.extras !== null ? jsonTokensMax(of.prompt.extras) : 0;
  return framed + images + text + schemaTokensMax(of.prompt) + extras;
}

/**
 * What a provider adds to tell its model of tools, or of the shape of the answer: an instruction of its own, and a frame around each
 * tool and each call of one. Anthropic documents 264 to 804 tokens for its instruction, by model and choice; others do not say. Generous.
 */
const TOOL_TOKENS = { perRequest: 1_024, perTool: 64 } as const;

/** Tools and the answer's schema are sent as JSON, or rendered from it into something shorter. */
function schemaTokensMax({ messages, tools, responseFormat }: Prompt): number {
  if (!hasTools({ messages, tools }) && responseFormat === null) return 0;
  const list = tools?.tools ?? [];
  const written = [...list, ...(responseFormat === null ? [] : [responseFormat])];
  const text = written.reduce((sum, part) => sum + jsonTokensMax(part), 0);
  const framed = list.length + messages.flatMap(toolCallsOf).length;
  return TOOL_TOKENS.perRequest + framed * TOOL_TOKENS.perTool + text;
}

function jsonTokensMax(value: object): number {
  return tokensMaxOf(JSON.stringify(value));
}

/**
 * The most tokens a text can have. Byte-level BPE, and SentencePiece with byte fallback, never yield more tokens than bytes.
 * A tokenizer may normalise first, as Anthropic's published one does (NFKC), and a few characters grow by it: U+FDFA from 3
 * to 33 bytes.
 */
export function tokensMaxOf(text: string): number {
  const bytes = Buffer.byteLength(text);
  const isAscii = bytes === text.length;
  return isAscii ? bytes : Math.max(bytes, Buffer.byteLength(text.normalize('NFKC')));
}

/** A tool call as a model writes it. Its marks and its name are tokens as well, and a provider bills them. */
export function writtenCall(call: { readonly toolName: string; readonly input: string }): string {
  return JSON.stringify({ name: call.toolName, arguments: call.input });
}

function textTokensMax(message: Message): number {
  const texts = message.parts.flatMap((part) => (part.kind === 'text' ? [part.text] : []));
  const called = toolCallsOf(message).map((call) => call.id + call.name + call.arguments);
  const answered = message.role === 'tool' ? [message.toolCallId] : [];
  return [...texts, ...called, ...answered].reduce((sum, text) => sum + tokensMaxOf(text), 0);
}
