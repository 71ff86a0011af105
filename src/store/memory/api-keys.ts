import { type ApiKey, endOf } from '../../core/api-key.ts';
import type { ApiKeyId } from '../../core/ids.ts';
import { prefixOf } from '../../core/key-text.ts';
import { type PageAnswer, type PageQuery, pageOfSorted, parseSequence } from '../../core/page.ts';
import { type EpochMs, epochMs, later } from '../../core/time.ts';
import type { ApiKeysPort, NewApiKey } from '../../ports/api-keys.ts';
import { keepAudit } from './audit.ts';
import { MEMORY_LIMITS, type MemoryState } from './state.ts';

const MINUTE_MS = 60_000;

interface KeyEntry {
  readonly sequence: number;
  readonly hash: string;
  key: ApiKey;
}

/** The credentials of callers, of one process: they are gone when it ends. */
export function makeMemoryApiKeys(state: MemoryState): ApiKeysPort {
  const { now } = state;
  const entries = new Map<ApiKeyId, KeyEntry>();
  const byHash = new Map<string, KeyEntry>();
  const hints = new Set<() => void>();
  const tellAll = () => {
    for (const hint of hints) hint();
  };

  const add = ({ hash, ...said }: NewApiKey): ApiKey => {
    if (entries.has(said.id) || byHash.has(hash)) throw new RangeError('a key is made once');
    if (entries.size >= MEMORY_LIMITS.apiKeysMax) {
      throw new RangeError(`the memory store keeps at most ${MEMORY_LIMITS.apiKeysMax} API keys: use PostgreSQL`);
    }
    const key = { ...said, prefix: prefixOf(said.id), createdAtMs: now(), lastUsedAtMs: null, revokedAtMs: null };
    const entry = { sequence: entries.size + 1, hash, key };
    entries.set(key.id, entry);
    byHash.set(hash, entry);
    return key;
  };
  const end = (entry: KeyEntry, atMs: EpochMs): ApiKey => {
    const revokedAtMs = epochMs(Math.min(entry.key.revokedAtMs ?? atMs, atMs));
    entry.key = { ...entry.key, revokedAtMs };
    tellAll();
    return entry.key;
  };

  return {
    async createKey(key, actor) {
      const made = add(key);
      const { id, hash, ...detail } = key;
      keepAudit(state, actor, { act: 'createApiKey', target: `key:${id}`, detail });
      return made;
    },
    async findKeysByHash(hashes) {
      return { nowMs: now(), found: hashes.flatMap((hash) => byHash.get(hash) ?? []) };
    },
    findKey: async (id) => entries.get(id)?.key ?? null,
    async pageKeys(page) {
      return pageOfEntries(Array.from(entries.values()).toReversed(), page);
    },
    async revokeKey(id, actor) {
      const entry = entries.get(id);
      if (entry === undefined) return null;
      keepAudit(state, actor, { act: 'revokeApiKey', target: `key:${id}`, detail: {} });
      return end(entry, now());
    },
    async rotateKey(next, { before, overlapMs }, actor) {
      const entry = entries.get(before);
      if (entry === undefined || endOf(entry.key, now()) !== null) return null;
      const key = add(next);
      keepAudit(state, actor, { act: 'rotateApiKey', target: `key:${before}`, detail: { next: next.id, overlapMs } });
      return { key, replaced: end(entry, later(now(), overlapMs)) };
    },
    async touchKeys(ids) {
      const lastUsedAtMs = epochMs(Math.floor(now() / MINUTE_MS) * MINUTE_MS);
      for (const entry of ids.flatMap((id) => entries.get(id) ?? [])) {
        if ((entry.key.lastUsedAtMs ?? 0) < lastUsedAtMs) entry.key = { ...entry.key, lastUsedAtMs };
      }
    },
    async endedKeys(withinMs) {
      const afterMs = later(now(), -withinMs);
      const ended = entries.values().filter(({ key }) => endOf(key, now()) !== null && endOf(key, afterMs) === null);
      return Array.from(ended, ({ key }) => key.id);
    },
    onKeysChanged(act) {
      hints.add(act);
      return { [Symbol.dispose]: () => hints.delete(act) };
    },
  };
}

function pageOfEntries(newestFirst: readonly KeyEntry[], page: PageQuery): PageAnswer<ApiKey> {
  const answer = pageOfSorted(newestFirst, page, {
    cursorOf: ({ sequence }) => String(sequence),
    parseCursor: parseSequence,
    compare: (entry, sequence) => sequence - entry.sequence,
  });
  if (answer.kind === 'badCursor') return answer;
  const items = answer.page.items.map(({ cursor, item }) => ({ cursor, item: item.key }));
  return { kind: 'page', page: { ...answer.page, items } };
}
