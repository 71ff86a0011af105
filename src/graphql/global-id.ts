import {
  type ApiKeyId,
  type Holder,
  LEVELS,
  type Level,
  type ProviderKey,
  providerKey,
  type RequestId,
  requestId,
} from '../core/ids.ts';
import { parseKeyId } from '../core/key-text.ts';

/** What a global id can name. */
export type GlobalId =
  | { readonly kind: 'request'; readonly id: RequestId }
  | { readonly kind: 'provider'; readonly key: ProviderKey }
  | { readonly kind: 'model'; readonly provider: ProviderKey; readonly model: string }
  | { readonly kind: 'budget'; readonly holder: Holder }
  | { readonly kind: 'apiKey'; readonly id: ApiKeyId }
  | { readonly kind: 'breakerEvent'; readonly sequence: number }
  /** The present state of one breaker, told at the start of a subscription. */
  | { readonly kind: 'breakerSnapshot'; readonly sequence: number; readonly provider: ProviderKey };

/** Enough for 31,000 years at one change a second; fixed, so that ids sort by time. */
const SEQUENCE_DIGITS = 12;

const ID_CHARS_MAX = 500;

const REQUEST = /^req_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;
const PROVIDER = /^prov_(.+)$/;
/** A provider's key has no slash, a model's name may. */
const MODEL = /^model_([^/]+)\/(.+)$/;
const BUDGET = /^(bud|kbud|tbud)_(.+)$/s;
const BREAKER_EVENT = /^bev_(\d{12})(?:_(.+))?$/;

export function requestGlobalId(id: RequestId): string {
  return `req_${id}`;
}

export function providerGlobalId(key: ProviderKey): string {
  return `prov_${key}`;
}

export function modelGlobalId(of: { readonly provider: ProviderKey; readonly model: string }): string {
  return `model_${of.provider}/${of.model}`;
}

const BUDGET_PREFIXES = { user: 'bud', key: 'kbud', team: 'tbud' } as const satisfies Readonly<Record<Level, string>>;

export function budgetGlobalId({ level, id }: Holder): string {
  return `${BUDGET_PREFIXES[level]}_${id}`;
}

export function apiKeyGlobalId(id: ApiKeyId): string {
  return `key_${id}`;
}

export function breakerEventGlobalId(sequence: number): string {
  return `bev_${String(sequence).padStart(SEQUENCE_DIGITS, '0')}`;
}

/** Sorts between the event with this sequence and the next one; as `after` it means the same as that event. */
export function breakerSnapshotGlobalId(sequence: number, provider: ProviderKey): string {
  return `${breakerEventGlobalId(sequence)}_${provider}`;
}

/** Null when the text is none of our ids. Whether such an object exists is another question. */
export function parseGlobalId(text: string): GlobalId | null {
  if (text.length > ID_CHARS_MAX || text.includes('\u0000') || !text.isWellFormed()) return null;
  const request = REQUEST.exec(text.toLowerCase())?.[1];
  if (request !== undefined) return { kind: 'request', id: requestId(request) };
  const key = PROVIDER.exec(text)?.[1];
  if (key !== undefined) return { kind: 'provider', key: providerKey(key) };
  const [, provider, model] = MODEL.exec(text) ?? [];
  if (provider !== undefined && model !== undefined) return { kind: 'model', provider: providerKey(provider), model };
  const [, prefix, holder] = BUDGET.exec(text) ?? [];
  const level = LEVELS.find((known) => BUDGET_PREFIXES[known] === prefix);
  if (level !== undefined && holder !== undefined) return { kind: 'budget', holder: { level, id: holder } };
  const apiKey = text.startsWith('key_') ? parseKeyId(text) : null;
  if (apiKey !== null) return { kind: 'apiKey', id: apiKey };
  const [, sequence, snapshotOf] = BREAKER_EVENT.exec(text) ?? [];
  if (sequence === undefined) return null;
  return snapshotOf === undefined
    ? { kind: 'breakerEvent', sequence: Number(sequence) }
    : { kind: 'breakerSnapshot', sequence: Number(sequence), provider: providerKey(snapshotOf) };
}
