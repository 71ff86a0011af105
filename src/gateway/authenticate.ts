import type { ApiKeyId } from '../core/ids.ts';
import { isSameDigest, parseKeyText } from '../core/key-text.ts';
import { ADMIN_CALLER } from './caller.ts';
import type { GatewayNeeds } from './deps.ts';
import type { Authenticated, Gateway } from './gateway.ts';
import { makeKeyCache } from './key-cache.ts';
import { startKeyUses } from './key-uses.ts';
import { startKeyWatch } from './key-watch.ts';
import { makeKnownEnds } from './known-ends.ts';

/** Who comes with a secret, and which keys work no more. */
export interface Authentication extends Pick<Gateway, 'authenticate' | 'onKeyEnded'>, AsyncDisposable {
  /** Has these keys looked up anew: what was known of them is old. */
  forget(ids: readonly ApiKeyId[]): void;
}

export function startAuthentication(needs: GatewayNeeds): Authentication {
  const { digest, adminKeyHash } = needs;
  const ends = makeKnownEnds(needs.clock);
  const { find, forget } = makeKeyCache({ ...needs, ends });
  const watch = startKeyWatch({ ...needs, forget, ends });
  const uses = startKeyUses(needs);
  return {
    async authenticate(secret): Promise<Authenticated> {
      const hash = digest(secret);
      if (adminKeyHash !== null && isSameDigest(hash, adminKeyHash)) return { kind: 'known', caller: ADMIN_CALLER };
      if (parseKeyText(secret) === null) return { kind: 'refused', why: 'malformed' };
      const state = await find(hash);
      if (state.kind === 'refused') return state;
      uses.note(state.key.id);
      return { kind: 'known', caller: { kind: 'key', key: state.key } };
    },
    onKeyEnded: (act) => watch.onKeyEnded(act),
    forget,
    async [Symbol.asyncDispose]() {
      await Promise.all([watch, uses].map((work) => work[Symbol.asyncDispose]()));
    },
  };
}
