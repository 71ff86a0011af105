import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KEY_LIMITS, type KeyAnswer, type KeyClaim } from '../../src/core/idempotency.ts';
import { ANONYMOUS, replicaId, requestId } from '../../src/core/ids.ts';
import type { Store } from '../../src/ports/store.ts';
import { newUuid } from '../../src/wiring/system.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import { openTestStore } from '../support/open-test-store.ts';
import { makeModel, makeProvider, makeRegistry } from '../support/registries.ts';
import { makeDatabase } from '../support/store-database.ts';

// Two replicas on one real PostgreSQL, and callers at once, all with the same key.

const CALLERS = 64;
const ROUNDS = 20;
const REGISTRY = makeRegistry(makeProvider('a', [makeModel('m', '1')]));

let database: Awaited<ReturnType<typeof makeDatabase>>;
let sql: postgres.Sql;
let replicas: readonly Store[];

beforeAll(async () => {
  database = await makeDatabase();
  sql = postgres(database.url, { max: 1 });
  const open = (name: string) =>
    openTestStore({
      kind: 'postgres',
      url: database.url,
      registry: REGISTRY,
      replica: replicaId(name),
      log: SILENT_LOG,
    });
  replicas = [await open('one'), await open('two')];
});

afterAll(async () => {
  for (const replica of replicas) await replica[Symbol.asyncDispose]();
  await sql.end();
  await database[Symbol.asyncDispose]();
});

function claimOf(key: string): KeyClaim {
  const id = requestId(newUuid());
  return { account: ANONYMOUS, key, bodyHash: 'a', requestId: id, leaseMs: 60_000, awaited: null };
}

/** All callers at once, spread over both replicas. Answers the one claim that got the key, and how the others were answered. */
async function claimAtOnce(key: string) {
  const claims = Array.from({ length: CALLERS }, () => claimOf(key));
  const answers = await Promise.all(claims.map((claim, caller) => replicas[caller % 2]!.claimKey(claim)));
  const winners = claims.filter((_claim, caller) => answers[caller]!.kind === 'claimed');
  expect(winners).toHaveLength(1);
  return { winner: winners[0]!, others: answers.filter((answer) => answer.kind !== 'claimed') };
}

function running(claim: KeyClaim): readonly KeyAnswer[] {
  return Array(CALLERS - 1).fill({ kind: 'running', requestId: claim.requestId });
}

test('a key that nobody used before goes to one caller, and all others are told to whom', async () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const { winner, others } = await claimAtOnce(`new-${round}`);
    expect(others).toEqual(running(winner));
  }
});

test.each([
  ['whose lease ended', () => sql`update switchyard.idempotency_key set lease_ends_at = switchyard.clock()`],
  ['that has expired', () => sql`update switchyard.idempotency_key set expires_at = switchyard.clock()`],
  ['that was freed', () => sql`update switchyard.idempotency_key set state = 'freed'`],
] as const)('a key %s goes to one new caller, and its former request can no longer end it', async (_which, free) => {
  let { winner } = await claimAtOnce('again');
  for (let round = 0; round < ROUNDS; round += 1) {
    await free();
    const before = winner;
    const next = await claimAtOnce('again');
    winner = next.winner;
    expect(next.others).toEqual(running(winner));
    expect(await replicas[0]!.endClaim(before, { kind: 'kept', outcome: 'late' })).toBe(false);
  }
  expect(await replicas[0]!.endClaim(winner, { kind: 'freed', outcome: null })).toBe(true);
});

test('a claim that is ended by all at once is ended once, and everybody is told the same afterwards', async () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const { winner } = await claimAtOnce(`ended-${round}`);
    const ends = Array.from({ length: CALLERS }, (_none, caller) =>
      replicas[caller % 2]!.endClaim(winner, { kind: 'kept', outcome: `answer ${caller}` }),
    );
    expect((await Promise.all(ends)).filter((isEnded) => isEnded)).toHaveLength(1);
    const told = await Promise.all(replicas.map((replica) => replica.claimKey(claimOf(`ended-${round}`))));
    expect(told[0]).toMatchObject({ kind: 'ended', requestId: winner.requestId });
    expect(told[1]).toEqual(told[0]);
  }
});

test('expired keys are each forgotten once, while others are claimed and claimed again', async () => {
  await sql`truncate switchyard.idempotency_key`;
  const keys = Array.from({ length: 300 }, (_none, number) => `old-${number}`);
  await Promise.all(keys.map((key, caller) => replicas[caller % 2]!.claimKey(claimOf(key))));
  await sql`update switchyard.idempotency_key set expires_at = switchyard.clock()`;
  const claims = keys.slice(0, 100).map(claimOf);
  const [claimed, ...forgotten] = await Promise.all([
    Promise.all(claims.map((claim, caller) => replicas[caller % 2]!.claimKey(claim))),
    ...Array.from({ length: 20 }, (_none, caller) => replicas[caller % 2]!.forgetKeys(50)),
  ]);
  expect(claimed).toEqual(Array(100).fill({ kind: 'claimed' }));
  const rest = await replicas[0]!.forgetKeys(1_000);
  const [left] = await sql`select count(*)::integer as keys from switchyard.idempotency_key`;
  expect(left?.keys).toBe(100);
  // A key that was claimed again before it was forgotten was never deleted.
  const total = forgotten.reduce((sum, count) => sum + count, rest);
  expect(total).toBeGreaterThanOrEqual(200);
  expect(total).toBeLessThanOrEqual(300);
});

test('an outcome of the largest size that is kept comes back as it was', async () => {
  const claim = claimOf('large');
  const outcome = JSON.stringify('✓'.repeat(KEY_LIMITS.outcomeCharsMax - 2));
  await replicas[0]!.claimKey(claim);
  await replicas[0]!.endClaim(claim, { kind: 'kept', outcome });
  const told = await replicas[1]!.claimKey(claimOf('large'));
  expect(told.kind === 'ended' && told.outcome === outcome).toBe(true);
});
