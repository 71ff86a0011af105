import { z } from 'zod';
import { IMAGE_DETAILS, ROLES } from '../../core/message.ts';
import type { RawMessage, RawPart } from '../../core/raw-chat.ts';

const TEXT_PART = z.object({ type: z.literal('text'), text: z.string() });
const REFUSAL_PART = z.object({ type: z.literal('refusal'), refusal: z.string() });
const IMAGE = z.object({ url: z.string(), detail: z.enum(IMAGE_DETAILS).nullish() });
const IMAGE_PART = z.object({ type: z.literal('image_url'), image_url: IMAGE });

const PART = z.discriminatedUnion('type', [TEXT_PART, IMAGE_PART, REFUSAL_PART], {
  error: (issue) => (issue.code === 'invalid_union' ? 'must be a part of type text or image_url' : undefined),
});

/** A text is the same as one part of text. */
const CONTENT = z.preprocess(
  (content) => (typeof content === 'string' ? [{ type: 'text', text: content }] : content),
  z.array(PART, { error: 'must be a text or a list of parts' }).nullish(),
);

const TOOL_CALL = z.object({
  id: z.string(),
  type: z.literal('function').nullish(),
  function: z.object({ name: z.string(), arguments: z.string() }),
});

export const MESSAGE = z.object({
  role: z.enum(ROLES),
  content: CONTENT,
  /** An answer that was declined is sent back like this. */
  refusal: z.string().nullish(),
  tool_calls: z.array(TOOL_CALL).nullish(),
  tool_call_id: z.string().nullish(),
});

export function rawMessageOf(message: z.infer<typeof MESSAGE>): RawMessage {
  const { role, content, refusal } = message;
  const toolCalls = message.tool_calls?.map(({ id, function: called }) => ({ id, ...called }));
  const tools = { toolCalls, toolCallId: message.tool_call_id };
  if (content === null || content === undefined) return { role, content: refusal, ...tools };
  const parts = content.map(rawPartOf);
  const [only] = parts;
  // One text is a content in every word of the core, and in what it says of one.
  return parts.length === 1 && typeof only?.text === 'string'
    ? { role, content: only.text, ...tools }
    : { role, parts, ...tools };
}

function rawPartOf(part: z.infer<typeof PART>): RawPart {
  switch (part.type) {
    case 'text':
      return { text: part.text };
    case 'refusal':
      return { text: part.refusal };
    case 'image_url':
      return { imageUrl: part.image_url.url, detail: part.image_url.detail };
    default:
      return part satisfies never;
  }
}
