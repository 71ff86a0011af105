import postgres from 'postgres';
import {
  ANONYMOUS,
  apiKeyId,
  holdId,
  keyAccount,
  providerKey,
  replicaId,
  requestId,
  teamAccount,
  userAccount,
} from '../src/core/ids.ts';
import { picoUsd } from '../src/core/money.ts';
import type { Payers } from '../src/core/paying.ts';
import type { Registry } from '../src/core/registry.ts';
import type { DurableStore } from '../src/ports/store.ts';
import { startEmbeddedServer } from '../src/store/embedded/server.ts';
import { migrateDatabase } from '../src/store/postgres/migrate.ts';
import { openPostgresStore } from '../src/store/postgres/store.ts';
import { newUuid, SYSTEM_CLOCK } from '../src/wiring/system.ts';
import type { LoadResult } from './load.ts';
import { measure } from './measure.ts';

/** One provider with so many slots that its rolling limit is never reached in a run. */
const REGISTRY: Registry = {
  priceListVersion: 'bench-1',
  providers: [
    {
      key: providerKey('bench-1'),
      displayName: 'Bench 1',
      kind: 'mock',
      requestsPerMinute: 100_000,
      specialties: [],
      models: [],
    },
  ],
};

const CONNECTIONS = 16;
const ACCOUNTS = 1_000;
const TEAM = [keyAccount(apiKeyId('bench')), teamAccount('bench')];
const userOf = (sequence: number) => userAccount(`user-${sequence % ACCOUNTS}`);
const alone = (account: Payers['account']): Payers => ({ account, also: [] });
const LOG = {
  debug: () => undefined,
  info: () => undefined,
  warn: console.error,
  error: console.error,
  with: () => LOG,
};

/**
 * What the books alone can do on a PostgreSQL 18 whose every commit is on the disk: an admission and its settle, against a
 * bare guarded UPDATE of one row, which is the least that an exact budget can cost by itself.
 */
export async function openLedger(
  dataDir: string,
): Promise<AsyncDisposable & { readonly targets: ReadonlyMap<string, (limits: Limits) => Promise<LoadResult>> }> {
  const opened = new AsyncDisposableStack();
  const start = await startEmbeddedServer({ dataDir, note: () => undefined });
  if (start.kind !== 'started') throw new Error(`no PostgreSQL to measure (${start.kind}): ${start.reason}`);
  opened.use(start.server);
  const { url } = start.server;
  await migrateDatabase(url);
  const sql = postgres(url, { max: CONNECTIONS, onnotice: () => undefined });
  opened.defer(() => sql.end({ timeout: 1 }));
  await sql`create table bare_account (id integer primary key, posted bigint not null, held bigint not null, cap bigint not null)`;
  await sql`insert into bare_account values (1, 0, 0, 1000000000000000)`;
  const store = opened.use(
    await openPostgresStore({
      kind: 'embedded',
      url,
      registry: REGISTRY,
      replica: replicaId(newUuid()),
      timeoutMs: 10_000,
      clock: SYSTEM_CLOCK,
      log: LOG,
    }),
  );
  return {
    targets: new Map([
      ['bare guarded UPDATE, one row', (limits) => measure(limits, () => reserveBare(sql))],
      ['admit + settle, one account', (limits) => measure(limits, () => holdAndSettle(store, alone(ANONYMOUS)))],
      [
        `admit + settle, ${ACCOUNTS} accounts`,
        (limits) => measure(limits, (sequence) => holdAndSettle(store, alone(userOf(sequence)))),
      ],
      [
        `admit + settle, ${ACCOUNTS} users of one key and team`,
        (limits) => measure(limits, (sequence) => holdAndSettle(store, { account: userOf(sequence), also: TEAM })),
      ],
    ]),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

type Limits = Parameters<typeof measure>[0];

async function reserveBare(sql: postgres.Sql): Promise<void> {
  const rows =
    await sql`update bare_account set held = held + 1 where id = 1 and posted + held + 1 <= cap returning held`;
  if (rows.length !== 1) throw new Error('the bare account was refused: a refusal is quick, and would flatter');
}

async function holdAndSettle(store: DurableStore, payers: Payers): Promise<void> {
  const id = newUuid();
  const bound = { input: picoUsd(400n), perOutputToken: picoUsd(1n), outputTokensMax: 100, outputTokensMin: 16 };
  const admitted = await store.admit({
    requestId: requestId(id),
    attempt: 1,
    holdId: holdId(id),
    ...payers,
    defaultCap: picoUsd(1_000_000_000_000_000n),
    ceiling: null,
    candidates: [{ provider: providerKey('bench-1'), model: 'bench-1', bound }],
    attemptMs: 60_000,
  });
  if (admitted.kind !== 'admitted') throw new Error('an admission was refused: a refusal is quick, and would flatter');
  await store.settle({
    holdId: holdId(id),
    charge: { kind: 'spent', amount: picoUsd(450n), source: 'reported' },
    verdict: { kind: 'success' },
    jitter: 0,
    throttledForMs: null,
    setAside: null,
  });
}
