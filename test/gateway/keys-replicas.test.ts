import { expect, test } from 'vitest';
import { type ReplicaId, replicaId } from '../../src/core/ids.ts';
import { ADMIN_CALLER } from '../../src/gateway/caller.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import { eventually } from '../support/eventually.ts';
import { makeGatewayKit } from '../support/gateway-kit.ts';
import { openTestStore } from '../support/open-test-store.ts';
import { SEED_REGISTRY } from '../support/registries.ts';
import { makeDatabase } from '../support/store-database.ts';

/** How soon every replica must know of a revocation. */
const TOLD_MS_MAX = 5_000;

async function openReplica(url: string, replica: ReplicaId, opened: AsyncDisposableStack) {
  const store = opened.use(
    await openTestStore({ kind: 'postgres', url, registry: SEED_REGISTRY, replica, log: SILENT_LOG }),
  );
  return opened.use(makeGatewayKit({ registry: SEED_REGISTRY, store }));
}

test('a key that is revoked or rotated at one replica is refused at the other within five seconds, and its connections are told', async () => {
  await using opened = new AsyncDisposableStack();
  const { url } = opened.use(await makeDatabase());
  const here = await openReplica(url, replicaId('first'), opened);
  const there = await openReplica(url, replicaId('second'), opened);
  const ended: string[] = [];
  using _listening = there.gateway.onKeyEnded((id) => ended.push(id));
  const limits = { requestsPerMinute: null, tokensPerMinute: null, concurrency: null };
  const wish = { name: 'shared', scopes: ['chat'], userId: null, teamId: null, expiresAtMs: null, limits };
  const make = async () => {
    const made = await here.gateway.createKey(wish, ADMIN_CALLER);
    if (made.kind !== 'created') throw new RangeError(made.message);
    expect(await there.gateway.authenticate(made.secret)).toMatchObject({
      kind: 'known',
      caller: { key: { id: made.key.id } },
    });
    return made;
  };
  const isRefused = async (secret: string) => (await there.gateway.authenticate(secret)).kind === 'refused';

  const revoked = await make();
  await here.gateway.revokeKey({ id: revoked.key.id }, ADMIN_CALLER);
  // The clocks of these replicas stand still: what was remembered would be believed for ever, but for the word of the other.
  await eventually(async () => ended.includes(revoked.key.id) && (await isRefused(revoked.secret)), TOLD_MS_MAX);

  const rotated = await make();
  const next = await here.gateway.rotateKey({ id: rotated.key.id, overlapMs: 0 }, ADMIN_CALLER);
  await eventually(async () => ended.includes(rotated.key.id) && (await isRefused(rotated.secret)), TOLD_MS_MAX);
  expect(next.kind === 'rotated' && (await there.gateway.authenticate(next.secret)).kind).toBe('known');
}, 60_000);
