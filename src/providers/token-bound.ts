import { imageCountOf, type Message } from '../core/message.ts';
import type { Prompt } from '../core/prompt.ts';
import type { ModelSpec, ProviderKind } from '../core/registry.ts';

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
  return template.perRequest + messages.length * template.perMessage + parts * template.perPart + images + text;
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
  return message.parts.reduce((sum, part) => sum + (part.kind === 'text' ? tokensMaxOf(part.text) : 0), 0);
}
