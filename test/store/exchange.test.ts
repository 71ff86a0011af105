import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AccountKey, holdId, providerKey, replicaId, requestId, userAccount } from '../../src/core/ids.ts';
import { type PicoUsd, picoUsd, ZERO_USD } from '../../src/core/money.ts';
import type { Admission, AdmissionCandidate } from '../../src/ports/admission.ts';
import type { DurableStore } from '../../src/ports/store.ts';
import { newUuid } from '../../src/wiring/system.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import { alone } from '../support/alone.ts';
import { openTestStore } from '../support/open-test-store.ts';
import { makeModel, makeProvider, makeRegistry } from '../support/registries.ts';
import { makeDatabase } from '../support/store-database.ts';

const REGISTRY = makeRegistry(makeProvider('wide', [makeModel('wide-1', '1')], { requestsPerMinute: 1_000 }));
const ANN = userAccount('ann');
/** One more than PostgreSQL's bigint holds. */
const TOO_LARGE = picoUsd(2n ** 63n);

let database: Awaited<ReturnType<typeof makeDatabase>>;
let store: DurableStore;

beforeAll(async () => {
  database = await makeDatabase();
  const options = { kind: 'postgres', registry: REGISTRY, replica: replicaId('one'), log: SILENT_LOG } as const;
  store = await openTestStore({ ...options, url: database.url });
});

afterAll(async () => {
  await store[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

function admissionOf(
  change: Partial<Admission> & { readonly bound?: Partial<AdmissionCandidate['bound']> },
): Admission {
  const { bound, ...rest } = change;
  const { key, models } = REGISTRY.providers[0]!;
  const cheap = { input: picoUsd(400n), perOutputToken: ZERO_USD, outputTokensMax: 1, outputTokensMin: 1 };
  return {
    requestId: requestId(newUuid()),
    attempt: 1,
    holdId: holdId(newUuid()),
    account: ANN,
    also: [],
    defaultCap: picoUsd(1_000_000n),
    ceiling: null,
    candidates: [{ provider: key, model: models[0]!.name, bound: { ...cheap, ...bound } }],
    attemptMs: 5_000,
    ...rest,
  };
}

test.each<[string, () => Promise<unknown>]>([
  ['a ceiling beyond bigint', () => store.admit(admissionOf({ ceiling: TOO_LARGE }))],
  ['a cap beyond bigint', () => store.admit(admissionOf({ defaultCap: TOO_LARGE }))],
  ['an input beyond bigint', () => store.admit(admissionOf({ bound: { input: TOO_LARGE } }))],
  [
    'a product beyond bigint',
    () => store.admit(admissionOf({ bound: { perOutputToken: picoUsd(10n ** 6n), outputTokensMax: 10 ** 14 } })),
  ],
  ['a NUL in an account', () => store.admit(admissionOf({ account: userAccount('a\0b') }))],
  ['half a surrogate pair in an account', () => store.look(alone(userAccount('\ud800')))],
  [
    'spending beyond bigint',
    () => {
      const charge = { kind: 'spent', amount: TOO_LARGE, source: 'reported' } as const;
      const rest = { verdict: { kind: 'neutral' }, jitter: 0, throttledForMs: null, setAside: null } as const;
      return store.settle({ holdId: holdId(newUuid()), charge, ...rest });
    },
  ],
])('%s is refused before it is sent, so that it fails nothing else', async (_what, act) => {
  const others = [store.look(alone(ANN)), store.admit(admissionOf({}))];
  await expect(act()).rejects.toThrow(/^PostgreSQL cannot hold/);
  expect((await Promise.allSettled(others)).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
});

test('a provider that the database does not know is named, and not called full', async () => {
  const bound = { input: picoUsd(1n), perOutputToken: ZERO_USD, outputTokensMax: 1, outputTokensMin: 1 };
  const candidates = [{ provider: providerKey('nobody'), model: 'any', bound }];
  await expect(store.admit(admissionOf({ candidates }))).rejects.toThrow('the store knows no provider nobody');
});

test('an act that PostgreSQL cannot carry out fails alone', async () => {
  const admit = (account: AccountKey, input: PicoUsd) =>
    store.admit(admissionOf({ account, defaultCap: null, bound: { input } }));
  const most = picoUsd(2n ** 63n - 1n);
  // Each fits, and the sum of both does not.
  const told = await Promise.allSettled([
    admit(userAccount('bob'), most),
    ...Array.from({ length: 40 }, () => admit(ANN, picoUsd(1n))),
    admit(userAccount('bob'), most),
  ]);
  expect(told.flatMap(({ status }, place) => (status === 'rejected' ? [place] : []))).toEqual([41]);
});

test('what a later version says of a provider that is not ours hinders nothing', async () => {
  const sql = postgres(database.url, { max: 1 });
  await sql`insert into switchyard.provider_state (provider, position, changed_at, state, simulation_mode, simulation_ends_at)
    values ('later', 2, now(), 'resting', 'NEW_MODE', '2099-01-01')`;
  await sql.end();
  const { key } = REGISTRY.providers[0]!;
  expect((await store.look(alone(ANN))).providers.map(({ provider }) => provider)).toEqual([key]);
  expect((await store.survey()).providers.map(({ state }) => state.provider)).toEqual([key]);
  const nothing = { keep: [], renew: [], take: [], slots: { renew: [], giveBack: [], take: [] } };
  const reserved = await store.reserve({ ...nothing, amountMax: picoUsd(1n) });
  expect(reserved.providers.map(({ provider }) => provider)).toEqual([key]);
});
