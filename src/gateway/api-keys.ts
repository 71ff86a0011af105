import type { ApiKeyId } from '../core/ids.ts';
import { KEY_RANDOM_BYTES, type KeyText, makeKeyText, parseKeyId } from '../core/key-text.ts';
import type { Authentication } from './authenticate.ts';
import { type Caller, may } from './caller.ts';
import type { GatewayNeeds } from './deps.ts';
import type { KeyDirectory } from './key-directory.ts';
import { parseKeyWish, rotationFaults } from './key-wish.ts';
import { actorOf, invalidInput } from './operations.ts';
import type { NotFound } from './refusals.ts';

type KeyNeeds = Pick<GatewayNeeds, 'store' | 'clock' | 'digest' | 'randomBytes'>;

/** Makes, replaces, ends and shows API keys. A key's text is told to whoever made it, and to nobody else, ever. */
export function makeKeyDirectory(needs: KeyNeeds, { forget }: Pick<Authentication, 'forget'>): KeyDirectory {
  const { store, clock, digest } = needs;
  return {
    async createKey(wish, caller) {
      const parsed = parseKeyWish(wish, caller, clock.now());
      if (parsed.kind === 'invalid') return invalidInput(parsed.issues);
      const { id, text } = newKeyText(needs);
      const key = await store.createKey(
        { ...wish, id, line: id, scopes: parsed.scopes, hash: digest(text) },
        actorOf(caller, null),
      );
      return { kind: 'created', key, secret: text };
    },
    async revokeKey(wish, caller) {
      const id = parseKeyId(wish.id);
      const key = id === null ? null : await store.revokeKey(id, actorOf(caller, null));
      if (key === null) return noKey();
      forget([key.id]);
      return { kind: 'revoked', key };
    },
    async rotateKey(wish, caller) {
      const id = parseKeyId(wish.id);
      const before = id === null ? null : await store.findKey(id);
      if (before === null) return noKey();
      const issues = rotationFaults(before, wish, caller);
      if (issues.length > 0) return invalidInput(issues);
      const { line, name, scopes, userId, teamId, limits, expiresAtMs } = before;
      const made = newKeyText(needs);
      const rotated = await store.rotateKey(
        { id: made.id, line, hash: digest(made.text), name, scopes, userId, teamId, limits, expiresAtMs },
        { before: before.id, overlapMs: wish.overlapMs },
        actorOf(caller, null),
      );
      if (rotated === null) {
        return invalidInput([{ path: ['apiKeyId'], message: 'this key works no more: make a new one instead' }]);
      }
      forget([before.id]);
      return { kind: 'rotated', ...rotated, secret: made.text };
    },
    pageKeys: (page) => store.pageKeys(page),
    async findKey(name, caller) {
      const id = parseKeyId(name);
      return id === null || !maySeeKey(caller, id) ? null : store.findKey(id);
    },
    pageAudit: (page) => store.pageAudit(page),
  };
}

function maySeeKey(caller: Caller, id: ApiKeyId): boolean {
  return may(caller, 'keys:read') || (caller.kind === 'key' && caller.key.id === id);
}

function newKeyText({ randomBytes }: Pick<KeyNeeds, 'randomBytes'>): KeyText {
  return makeKeyText({ id: randomBytes(KEY_RANDOM_BYTES.id), secret: randomBytes(KEY_RANDOM_BYTES.secret) });
}

/** Says nothing of what was sent: it may have been a secret. */
function noKey(): NotFound {
  return {
    kind: 'notFound',
    code: 'NOT_FOUND',
    message: 'No API key has this id. `apiKeys` lists those that there are.',
    isRetryable: false,
    retryAfterMs: null,
  };
}
