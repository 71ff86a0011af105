import type { LanguageModelV4FilePart, LanguageModelV4Message, LanguageModelV4Prompt } from '@ai-sdk/provider';
import { type Message, type Part, textOf } from '../core/message.ts';
import type { Prompt } from '../core/prompt.ts';
import type { ModelSpec, Parameter } from '../core/registry.ts';

/** A prompt in the words of the provider packages, or why it cannot be put into them. */
export type Rendering =
  | { readonly kind: 'rendered'; readonly prompt: LanguageModelV4Prompt; readonly warnings: readonly string[] }
  | { readonly kind: 'unsendable'; readonly reason: string };

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
}): Rendering {
  const { messages } = of.prompt;
  const imageFault = imageFaultOf(messages, of.model);
  if (imageFault !== null) return { kind: 'unsendable', reason: imageFault };
  const ordered = of.systemPlace === 'first' ? systemFirst(messages) : messages;
  const isMoved = ordered.some((message, index) => message !== messages[index]);
  return {
    kind: 'rendered',
    prompt: ordered.map(renderMessage),
    warnings: isMoved
      ? ['System messages were moved before the conversation: this provider takes them only there.']
      : [],
  };
}

/** The parameters that are sent, and a warning for each wish the model does not take. */
export function renderParameters(of: { readonly prompt: Prompt; readonly model: ModelSpec }): {
  readonly wishes: Wishes;
  readonly warnings: readonly string[];
} {
  const { prompt, model } = of;
  const asked: Record<Parameter, boolean> = {
    temperature: prompt.temperature !== null,
    topP: prompt.topP !== null,
    stop: prompt.stop.length > 0,
    seed: prompt.seed !== null,
    reasoningEffort: prompt.reasoningEffort !== null,
  };
  const isSent = (parameter: Parameter): boolean =>
    asked[parameter] && !model.unsupportedParameters.includes(parameter);
  return {
    wishes: {
      temperature: isSent('temperature') ? prompt.temperature : null,
      topP: isSent('topP') ? prompt.topP : null,
      stop: isSent('stop') ? prompt.stop : [],
      seed: isSent('seed') ? prompt.seed : null,
      reasoningEffort: isSent('reasoningEffort') ? prompt.reasoningEffort : null,
    },
    warnings: model.unsupportedParameters
      .filter((parameter) => asked[parameter])
      .map((parameter) => `${parameter} was not sent: ${model.name} does not support it.`),
  };
}

/** What is left of a prompt's wishes after taking away what the model does not support. */
export type Wishes = Pick<Prompt, 'temperature' | 'topP' | 'stop' | 'seed' | 'reasoningEffort'>;

function systemFirst(messages: readonly Message[]): readonly Message[] {
  const isSystem = (message: Message): boolean => message.role === 'system' || message.role === 'developer';
  return [...messages.filter(isSystem), ...messages.filter((message) => !isSystem(message))];
}

function renderMessage(message: Message): LanguageModelV4Message {
  switch (message.role) {
    case 'system':
    case 'developer':
      return { role: 'system', content: textOf(message) };
    case 'assistant':
      return { role: 'assistant', content: [{ type: 'text', text: textOf(message) }] };
    case 'user':
      return {
        role: 'user',
        content: message.parts.map((part) =>
          part.kind === 'text' ? { type: 'text', text: part.text } : renderImage(part.url),
        ),
      };
    default:
      return message.role satisfies never;
  }
}

// --- images -------------------------------------------------------------------------------------------------------------

type ImagePart = Extract<Part, { kind: 'image' }>;

/** Null when every image can be sent. Nothing is dropped in silence. */
function imageFaultOf(messages: readonly Message[], model: ModelSpec): string | null {
  const places = messages.flatMap((message) =>
    message.parts
      .filter((part): part is ImagePart => part.kind === 'image')
      .map((part) => ({ role: message.role, part })),
  );
  if (places.length === 0) return null;
  if (model.imageTokensMax === null) return `${model.name} reads no images.`;
  if (places.some((place) => place.role !== 'user')) return 'Images are possible only in user messages.';
  const bad = places.find((place) => parseImage(place.part.url) === null);
  return bad === undefined ? null : 'An image must be an https URL or a data URL of an image.';
}

type Image =
  | { readonly kind: 'remote'; readonly url: URL; readonly mediaType: string }
  | { readonly kind: 'inline'; readonly base64: string; readonly mediaType: string };

function renderImage(url: string): LanguageModelV4FilePart {
  const image = parseImage(url);
  if (image === null) throw new RangeError('an image that cannot be sent got past imageFaultOf');
  return image.kind === 'remote'
    ? { type: 'file', mediaType: image.mediaType, data: { type: 'url', url: image.url } }
    : { type: 'file', mediaType: image.mediaType, data: { type: 'data', data: image.base64 } };
}

/** Gemini wants the full media type of a remote file; the ending of the path is all there is to go by. */
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  png: 'image/png',
  webp: 'image/webp',
  gif: 'image/gif',
  bmp: 'image/bmp',
  heic: 'image/heic',
};
const MEDIA_TYPE_DEFAULT = 'image/jpeg';

/** Null when the URL is neither https nor an image's data. */
function parseImage(text: string): Image | null {
  if (text.startsWith('data:')) return parseDataUrl(text);
  const url = URL.parse(text);
  if (url === null || url.protocol !== 'https:') return null;
  const ending = url.pathname.split('.').at(-1)?.toLowerCase() ?? '';
  return { kind: 'remote', url, mediaType: MEDIA_TYPES[ending] ?? MEDIA_TYPE_DEFAULT };
}

function parseDataUrl(text: string): Image | null {
  const comma = text.indexOf(',');
  const [mediaType = '', ...attributes] = text.slice('data:'.length, Math.max(comma, 0)).toLowerCase().split(';');
  if (comma < 0 || !/^image\/[\w.+-]+$/.test(mediaType)) return null;
  const data = text.slice(comma + 1);
  if (attributes.includes('base64')) return data === '' ? null : { kind: 'inline', mediaType, base64: data };
  const decoded = decodePercent(data);
  return decoded === null ? null : { kind: 'inline', mediaType, base64: Buffer.from(decoded).toString('base64') };
}

function decodePercent(data: string): string | null {
  try {
    return decodeURIComponent(data);
  } catch {
    return null;
  }
}
