import type { LanguageModelV4FilePart, SharedV4ProviderOptions } from '@ai-sdk/provider';
import type { ImageDetail, Message, Part } from '../core/message.ts';
import type { ModelSpec } from '../core/registry.ts';

type ImagePart = Extract<Part, { kind: 'image' }>;

/** Why an image cannot be sent. Null when every one can: nothing is dropped in silence. */
export function imageFaultOf(messages: readonly Message[], model: ModelSpec): string | null {
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

/** An image that `imageFaultOf` found no fault with, in the words of the provider packages. */
export function renderImage({ url, detail }: ImagePart): LanguageModelV4FilePart {
  const image = parseImage(url);
  if (image === null) throw new RangeError('an image that cannot be sent got past imageFaultOf');
  const { mediaType } = image;
  const options = detail === null ? {} : { providerOptions: detailOptions(image, detail) };
  return image.kind === 'remote'
    ? { type: 'file', mediaType, data: { type: 'url', url: image.url }, ...options }
    : { type: 'file', mediaType, data: { type: 'data', data: image.base64 }, ...options };
}

/** In the words of OpenAI's package; that of compatible servers has none, and takes the whole field in place of its own. */
function detailOptions(image: Image, detail: ImageDetail): SharedV4ProviderOptions {
  const url = image.kind === 'remote' ? image.url.href : `data:${image.mediaType};base64,${image.base64}`;
  return { openai: { imageDetail: detail }, openaiCompatible: { image_url: { url, detail } } };
}

/** Whether somebody wants an image looked at more or less closely than usual. */
export function hasDetail(messages: readonly Message[]): boolean {
  const parts = messages.flatMap((message) => message.parts);
  return parts.some((part) => part.kind === 'image' && part.detail !== null && part.detail !== 'auto');
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
