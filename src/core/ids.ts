/** A provider's short name in the registry, such as `openai`. */
export type ProviderKey = string & { readonly __id: 'Provider' };

/** A request's id without its `req_` prefix: a UUIDv7. */
export type RequestId = string & { readonly __id: 'Request' };

/** A hold's id: a UUIDv7. It is also the id of the attempt's probe, when the attempt is one. */
export type HoldId = string & { readonly __id: 'Hold' };

/** An API key's id without its `key_` prefix: random, and part of the key's text. */
export type ApiKeyId = string & { readonly __id: 'ApiKey' };

/** Whose money is spent: `user:<user id>`, `key:<line>`, `team:<team id>`, or `anonymous`, which has no cap. */
export type AccountKey = string & { readonly __id: 'Account' };

/** One process of the service. */
export type ReplicaId = string & { readonly __id: 'Replica' };

export const ANONYMOUS = 'anonymous' as AccountKey;

/** Who can have a budget. */
export const LEVELS = ['user', 'key', 'team'] as const;

export type Level = (typeof LEVELS)[number];

const USER_PREFIX = 'user:';

export function providerKey(value: string): ProviderKey {
  return value as ProviderKey;
}

export function requestId(value: string): RequestId {
  return value as RequestId;
}

export function holdId(value: string): HoldId {
  return value as HoldId;
}

export function replicaId(value: string): ReplicaId {
  return value as ReplicaId;
}

/** The account of a user. The prefix keeps a user who is called `anonymous` apart from the account without a cap. */
export function userAccount(userId: string): AccountKey {
  return `${USER_PREFIX}${userId}` as AccountKey;
}

export function apiKeyId(value: string): ApiKeyId {
  return value as ApiKeyId;
}

/** An API key's id out of what people write: the id itself, or its global id `key_<id>`. */
export function bareApiKeyId(name: string): ApiKeyId {
  return apiKeyId(name.startsWith('key_') ? name.slice('key_'.length) : name);
}

/** The account of a line of API keys. */
export function keyAccount(line: ApiKeyId): AccountKey {
  return `key:${line}` as AccountKey;
}

export function teamAccount(teamId: string): AccountKey {
  return `team:${teamId}` as AccountKey;
}

/** Who has a budget: a user, a line of API keys, or a team. */
export interface Holder {
  readonly level: Level;
  /** The user's id, the line of the keys, or the team's id. */
  readonly id: string;
}

export function accountOf({ level, id }: Holder): AccountKey {
  return `${level}:${id}` as AccountKey;
}

/** Whose account it is. Null for the anonymous account. */
export function holderOf(account: AccountKey): Holder | null {
  const level = LEVELS.find((known) => account.startsWith(`${known}:`));
  return level === undefined ? null : { level, id: account.slice(level.length + 1) };
}

export function accountKey(value: string): AccountKey {
  return value as AccountKey;
}

/** The user behind an account. Null for the anonymous account. */
export function userOf(account: AccountKey): string | null {
  return account.startsWith(USER_PREFIX) ? account.slice(USER_PREFIX.length) : null;
}

/** The id of a holder out of what people write: of a key also its global id, `key_<id>`. */
export function bareHolderId(id: string, level: Level): string {
  return level === 'key' && id.startsWith('key_') ? id.slice('key_'.length) : id;
}

/** A provider's key out of what people write: the key itself, or its global id `prov_<key>`. */
export function bareKey(name: string): string {
  return name.startsWith('prov_') ? name.slice('prov_'.length) : name;
}
