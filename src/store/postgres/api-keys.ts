import type { ApiKey } from '../../core/api-key.ts';
import {
  decodeFields,
  decodeInstant,
  decodeList,
  decodeNullable,
  decodeNumber,
  decodeOneOf,
  decodeText,
} from '../../core/decode.ts';
import { type ApiKeyId, apiKeyId } from '../../core/ids.ts';
import { prefixOf } from '../../core/key-text.ts';
import { SCOPES } from '../../core/scope.ts';
import type { ApiKeysPort } from '../../ports/api-keys.ts';
import type { Connection } from './connection.ts';
import { fetchSequencePage } from './sequence-page.ts';

const CHANNEL = 'switchyard_api_key';

/** The credentials of callers, on PostgreSQL: each act is one function of drizzle/, which also writes the audit log. */
export function makePostgresApiKeys({ act, read, upkeep, ears }: Connection): ApiKeysPort {
  const hints = new Set<() => void>();
  const tellAll = () => {
    for (const hint of hints) hint();
  };
  // The callback after a (re)connection tells too: what was notified in the gap is lost.
  ears.hear(CHANNEL, tellAll, tellAll);
  return {
    async createKey(key, actor) {
      const [row] = await act(
        (sql) => sql`select switchyard.create_key(${JSON.stringify(key)}::text::jsonb,
          ${JSON.stringify(actor)}::text::jsonb) as answer`,
      );
      return decodeApiKey(row?.answer);
    },
    async findKeysByHash(hashes) {
      const [row] = await act((sql) => sql`select switchyard.find_keys(${[...hashes]}::text[]) as answer`);
      const fields = decodeFields(row?.answer);
      return {
        nowMs: decodeInstant(fields.nowMs),
        found: decodeList(fields.found, (item) => {
          const { hash, key } = decodeFields(item);
          return { hash: decodeText(hash), key: decodeApiKey(key) };
        }),
      };
    },
    async findKey(id) {
      const [row] = await read(
        (sql) => sql`select switchyard.api_key_json(k) as json from switchyard.api_key k where id = ${id}`,
      );
      return row === undefined ? null : decodeApiKey(row.json);
    },
    pageKeys: (page) =>
      read((sql) =>
        fetchSequencePage(sql, page, {
          rows: sql`select sequence, switchyard.api_key_json(k) as json from switchyard.api_key k`,
          decode: decodeApiKey,
        }),
      ),
    async revokeKey(id, actor) {
      const [row] = await act(
        (sql) => sql`select switchyard.revoke_key(${id}, ${JSON.stringify(actor)}::text::jsonb) as answer`,
      );
      return decodeNullable(row?.answer, decodeApiKey);
    },
    async rotateKey(next, { before, overlapMs }, actor) {
      const [row] = await act(
        (sql) => sql`select switchyard.rotate_key(${JSON.stringify(next)}::text::jsonb, ${before}, ${overlapMs},
          ${JSON.stringify(actor)}::text::jsonb) as answer`,
      );
      return decodeNullable(row?.answer, (answer) => {
        const { key, replaced } = decodeFields(answer);
        return { key: decodeApiKey(key), replaced: decodeApiKey(replaced) };
      });
    },
    async touchKeys(ids) {
      await upkeep((sql) => sql`select switchyard.touch_keys(${[...ids]}::text[])`);
    },
    async endedKeys(withinMs) {
      const [row] = await read((sql) => sql`select switchyard.ended_keys(${withinMs}) as answer`);
      return decodeList(row?.answer, decodeId);
    },
    onKeysChanged(tell) {
      hints.add(tell);
      return { [Symbol.dispose]: () => hints.delete(tell) };
    },
  };
}

function decodeId(value: unknown): ApiKeyId {
  return apiKeyId(decodeText(value));
}

function decodeApiKey(value: unknown): ApiKey {
  const fields = decodeFields(value);
  const id = decodeId(fields.id);
  return {
    id,
    line: decodeId(fields.line),
    name: decodeText(fields.name),
    prefix: prefixOf(id),
    scopes: decodeList(fields.scopes, (scope) => decodeOneOf(SCOPES, scope)),
    userId: decodeNullable(fields.userId, decodeText),
    teamId: decodeNullable(fields.teamId, decodeText),
    limits: {
      requestsPerMinute: decodeNullable(fields.requestsPerMinute, decodeNumber),
      tokensPerMinute: decodeNullable(fields.tokensPerMinute, decodeNumber),
      concurrency: decodeNullable(fields.concurrency, decodeNumber),
    },
    createdAtMs: decodeInstant(fields.createdAtMs),
    lastUsedAtMs: decodeNullable(fields.lastUsedAtMs, decodeInstant),
    expiresAtMs: decodeNullable(fields.expiresAtMs, decodeInstant),
    revokedAtMs: decodeNullable(fields.revokedAtMs, decodeInstant),
  };
}
