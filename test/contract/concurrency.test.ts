import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  ANONYMOUS,
  apiKeyId,
  holdId,
  keyAccount,
  replicaId,
  requestId,
  teamAccount,
  userAccount,
} from '../../src/core/ids.ts';
import { picoUsd } from '../../src/core/money.ts';
import type { Payers } from '../../src/core/paying.ts';
import type { Admitted } from '../../src/ports/admission.ts';
import type { Store } from '../../src/ports/store.ts';
import { newUuid } from '../../src/wiring/system.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import { alone } from '../support/alone.ts';
import { openTestStore } from '../support/open-test-store.ts';
import { makeModel, makeProvider, makeRegistry } from '../support/registries.ts';
import { makeDatabase } from '../support/store-database.ts';

// Two replicas on one real PostgreSQL, and callers at once: what a single caller cannot show.

const REGISTRY = makeRegistry(
  makeProvider('wide', [makeModel('wide-1', '1')], { requestsPerMinute: 1_000 }),
  makeProvider('narrow', [makeModel('narrow-1', '1')], { requestsPerMinute: 10 }),
  makeProvider('broken', [makeModel('broken-1', '1')], { requestsPerMinute: 1_000 }),
);
const CALLERS = 64;
const ACTOR = { name: 'tester', reason: null };
const FAILURE = { kind: 'failure', retryAfterMs: null, isSimulated: false } as const;

let database: Awaited<ReturnType<typeof makeDatabase>>;
let replicas: readonly Store[];

beforeAll(async () => {
  database = await makeDatabase();
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
  await database[Symbol.asyncDispose]();
});

function admit(store: Store, provider: string, payers: Payers = alone(ANONYMOUS)): Promise<Admitted> {
  const spec = REGISTRY.providers.find((known) => known.key === provider)!;
  const bound = { input: picoUsd(400n), perOutputToken: picoUsd(0n), outputTokensMax: 1, outputTokensMin: 1 };
  return store.admit({
    requestId: requestId(newUuid()),
    attempt: 1,
    holdId: holdId(newUuid()),
    ...payers,
    defaultCap: payers.account === ANONYMOUS ? null : picoUsd(1_000n),
    ceiling: null,
    candidates: [{ provider: spec.key, model: spec.models[0]!.name, bound }],
    attemptMs: 5_000,
  });
}

/** All callers at once, spread over both replicas. */
function atOnce<Result>(act: (store: Store, caller: number) => Promise<Result>): Promise<readonly Result[]> {
  return Promise.all(
    Array.from({ length: CALLERS }, (_none, caller) => act(replicas[caller % replicas.length]!, caller)),
  );
}

function permitsOf(answers: readonly Admitted[]) {
  return answers.flatMap((answer) => (answer.kind === 'admitted' ? [answer.permit] : []));
}

function fail(store: Store, permit: { readonly holdId: ReturnType<typeof holdId> }) {
  const money = { charge: { kind: 'nothing' }, throttledForMs: null, setAside: null } as const;
  return store.settle({ holdId: permit.holdId, ...money, verdict: FAILURE, jitter: 0 });
}

test('an account that nobody used before takes exactly what fits its cap, whoever creates it first', async () => {
  for (let round = 0; round < 5; round += 1) {
    const account = userAccount(`new-${round}`);
    const answers = await atOnce((store) => admit(store, 'wide', alone(account)));
    expect(permitsOf(answers)).toHaveLength(2);
    expect((await replicas[0]!.account(account)).held).toBe(800n);
  }
});

test('users at once who share a team spend no more than its cap, and whom it stops is held nothing anywhere', async () => {
  for (let round = 0; round < 5; round += 1) {
    const team = teamAccount(`team-${round}`);
    const userOf = (caller: number) => userAccount(`member-${round}-${caller}`);
    await replicas[0]!.setBudget({ account: team, cap: picoUsd(1_000n), period: 'total', resetUsage: false }, ACTOR);
    const answers = await atOnce((store, caller) =>
      admit(store, 'wide', { account: userOf(caller), also: [keyAccount(apiKeyId(`key-${caller % 3}`)), team] }),
    );
    expect(permitsOf(answers)).toHaveLength(2);
    expect((await replicas[1]!.account(team)).held).toBe(800n);
    const helds = await replicas[0]!.accountsOf(answers.map((_answer, caller) => userOf(caller)));
    expect(helds.map(({ held }) => held)).toEqual(answers.map(({ kind }) => (kind === 'admitted' ? 400n : 0n)));
    const whys = answers.flatMap(({ refusals }) => refusals.map(({ why }) => why));
    expect(whys).toHaveLength(CALLERS - 2);
    for (const why of whys) expect(why).toMatchObject({ kind: 'overBudget', account: team, required: 400n });
  }
});

test('whoever pays together in whatever order and company, nobody waits for ever, and all books balance', async () => {
  const accounts = ['ann', 'bob', 'cid', 'dan'].map(userAccount);
  const spent = new Map(accounts.map((account) => [account, 0n]));
  await atOnce(async (store, caller) => {
    for (let round = 0; round < 4; round += 1) {
      const [account, ...also] = accounts.toSorted(
        (one, other) =>
          (((caller + round) * 7 + one.length * 3 + one.charCodeAt(5)) % 5) - ((other.charCodeAt(5) * 11 + caller) % 7),
      );
      const payers = { account: account!, also: also.slice(0, 1 + (caller % 2)) };
      const [permit] = permitsOf([await admit(store, 'broken', payers)]);
      if (permit === undefined) continue;
      for (const payer of [payers.account, ...payers.also]) spent.set(payer, spent.get(payer)! + 7n);
      const charge = { kind: 'spent', amount: picoUsd(7n), source: 'reported' } as const;
      const rest = { verdict: { kind: 'success' }, jitter: 0, throttledForMs: null, setAside: null } as const;
      expect((await store.settle({ holdId: permit.holdId, charge, ...rest })).kind).toBe('settled');
    }
  });
  const after = await replicas[0]!.accountsOf(accounts);
  expect(after.map(({ posted, held }) => ({ posted, held }))).toEqual(
    accounts.map((account) => ({ posted: spent.get(account), held: 0n })),
  );
  expect(spent.get(accounts[0]!)).toBeGreaterThan(0n);
});

test('a rolling limit of 10 admits exactly 10, however many ask at once', async () => {
  expect(permitsOf(await atOnce((store) => admit(store, 'narrow')))).toHaveLength(10);
});

test('one hold settled by all at once is settled once', async () => {
  const account = userAccount('settled');
  const [permit] = permitsOf([await admit(replicas[0]!, 'wide', alone(account))]);
  const answers = await atOnce((store) =>
    store.settle({
      holdId: permit!.holdId,
      charge: { kind: 'spent', amount: picoUsd(300n), source: 'reported' },
      verdict: { kind: 'success' },
      jitter: 0,
      throttledForMs: null,
      setAside: null,
    }),
  );
  expect(answers.filter((answer) => answer.kind === 'settled')).toHaveLength(1);
  expect(await replicas[1]!.account(account)).toMatchObject({ posted: 300n, held: 0n });
});

test('failures reported by all at once open a breaker once, and a due one lets exactly one probe through', async () => {
  const permits = permitsOf(await atOnce((store) => admit(store, 'broken')));
  expect(permits).toHaveLength(CALLERS);
  const reports = await Promise.all(permits.map((permit, index) => fail(replicas[index % 2]!, permit)));
  expect(reports.filter((report) => report.kind === 'settled' && report.transition !== null)).toHaveLength(1);
  for (let round = 0; round < 5; round += 1) {
    await makeDue();
    const probes = permitsOf(await atOnce((store) => admit(store, 'broken')));
    expect(probes).toHaveLength(1);
    expect(probes[0]!.isProbe).toBe(true);
    await fail(replicas[round % 2]!, probes[0]!);
  }
  const { newest } = await replicas[0]!.range();
  const sequences = (await replicas[1]!.tail(0, 1_000)).map((event) => event.sequence);
  expect(sequences).toEqual(Array.from({ length: newest }, (_none, index) => index + 1));
});

/** Moves the end of every cooldown into the past. */
async function makeDue(): Promise<void> {
  const sql = postgres(database.url, { max: 1 });
  await sql`update switchyard.provider_state set opened_until = switchyard.clock() - interval '1 second' where state = 'open'`;
  await sql.end();
}
