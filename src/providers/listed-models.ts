import { AddressRefused } from './address-refused.ts';
import type { UpstreamFetch } from './exchange.ts';
import { BASE_URLS, type SdkKind } from './vendor.ts';

/** How long a provider may take to list its models, and how much of the list is read. */
const LIMITS = { answerMs: 8_000, bytesMax: 4_000_000 } as const;

/** Anthropic's API is dated; this is the date that its packages send. */
const ANTHROPIC_VERSION = '2023-06-01';

/** What a provider says to our key when it is asked for its models, which costs nothing. */
export type Listed =
  /** Names of models. Null: the key is good, but the list cannot be read. */
  | { readonly kind: 'listed'; readonly models: readonly string[] | null }
  | { readonly kind: 'keyRefused'; readonly httpStatus: number }
  /** There is no list for this key, or none at all: some keys are for chats only, some servers have no list. */
  | { readonly kind: 'notTold'; readonly httpStatus: number }
  | { readonly kind: 'misunderstood'; readonly httpStatus: number }
  | { readonly kind: 'throttled' }
  | { readonly kind: 'broken'; readonly httpStatus: number }
  /** `code` is the network's word, such as ENOTFOUND. Null: there is none. */
  | { readonly kind: 'unreachable'; readonly code: string | null; readonly why: string }
  | { readonly kind: 'late'; readonly afterMs: number };

/** Asks a provider which models it has, with the key that chats would come with. */
export async function listModels(of: {
  readonly kind: SdkKind;
  /** Null: it is asked without a key. */
  readonly apiKey: string | null;
  /** Null: the vendor's own address. */
  readonly baseUrl: string | null;
  readonly fetch: UpstreamFetch;
}): Promise<Listed> {
  const { url, headers } = questionOf(of);
  const signal = AbortSignal.timeout(LIMITS.answerMs);
  try {
    const response = await of.fetch(url, { method: 'GET', headers, body: null, redirect: 'error', signal });
    const text = await textOf(response.body);
    return judge(response.status, text);
  } catch (error) {
    if (signal.aborted) return { kind: 'late', afterMs: LIMITS.answerMs };
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    if (!(cause instanceof Error)) return { kind: 'unreachable', code: null, why: String(cause) };
    const code = cause instanceof AddressRefused ? 'ADDRESS_REFUSED' : 'code' in cause ? String(cause.code) : null;
    return { kind: 'unreachable', code, why: cause.message };
  }
}

/** Where the list of models is, and how the key is shown there. */
function questionOf(of: { readonly kind: SdkKind; readonly apiKey: string | null; readonly baseUrl: string | null }): {
  readonly url: string;
  readonly headers: Record<string, string>;
} {
  const key = of.apiKey ?? '';
  switch (of.kind) {
    case 'openai':
      return { url: `${of.baseUrl ?? BASE_URLS.openai}/models`, headers: { authorization: `Bearer ${key}` } };
    case 'openaiCompatible':
      return { url: `${of.baseUrl ?? ''}/models`, headers: key === '' ? {} : { authorization: `Bearer ${key}` } };
    case 'anthropic':
      return {
        url: `${of.baseUrl ?? BASE_URLS.anthropic}/models?limit=1000`,
        headers: { 'x-api-key': key, 'anthropic-version': ANTHROPIC_VERSION },
      };
    case 'gemini':
      return {
        url: `${of.baseUrl ?? BASE_URLS.gemini}/models?pageSize=1000`,
        headers: { 'x-goog-api-key': key },
      };
    default:
      return of.kind satisfies never;
  }
}

const WITHOUT_LIST: ReadonlySet<number> = new Set([403, 404, 405, 501]);

function judge(httpStatus: number, text: string | null): Listed {
  if (httpStatus >= 200 && httpStatus < 300) return { kind: 'listed', models: text === null ? null : namesIn(text) };
  // Google says 400 to a key that it does not know.
  const isKeyRefused = httpStatus === 401 || (httpStatus === 400 && /api.?key/i.test(text ?? ''));
  if (isKeyRefused) return { kind: 'keyRefused', httpStatus };
  if (httpStatus === 429) return { kind: 'throttled' };
  if (WITHOUT_LIST.has(httpStatus)) return { kind: 'notTold', httpStatus };
  return httpStatus < 500 ? { kind: 'misunderstood', httpStatus } : { kind: 'broken', httpStatus };
}

/** `data[].id` as OpenAI and Anthropic have it, or `models[].name` as Google does. Null: neither. */
function namesIn(text: string): readonly string[] | null {
  try {
    const list: unknown = JSON.parse(text);
    if (typeof list !== 'object' || list === null) return null;
    const items: unknown = 'data' in list ? list.data : 'models' in list ? list.models : null;
    return Array.isArray(items) ? items.flatMap(nameOf) : null;
  } catch {
    return null;
  }
}

function nameOf(item: unknown): readonly string[] {
  if (typeof item !== 'object' || item === null) return [];
  const name: unknown = 'id' in item ? item.id : 'name' in item ? item.name : null;
  return typeof name === 'string' ? [name.replace(/^models\//, '')] : [];
}

/** Null when it is longer than we read. */
async function textOf(body: AsyncIterable<Uint8Array> | null): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > LIMITS.bytesMax) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
