import { describe, expect, test } from 'vitest';
import { accountKey, holdId, providerKey, replicaId, requestId, userAccount } from '../../src/core/ids.ts';
import { picoUsd } from '../../src/core/money.ts';
import { epochMs } from '../../src/core/time.ts';
import { startBooksCheck } from '../../src/gateway/books.ts';
import type { BooksPort } from '../../src/ports/books.ts';
import type { Store } from '../../src/ports/store.ts';
import { makeMemoryAdmission } from '../../src/store/memory/admission.ts';
import { makeMemoryBooks } from '../../src/store/memory/books.ts';
import { makeMemoryState } from '../../src/store/memory/state.ts';
import { makeMemoryStore } from '../../src/store/memory/store.ts';
import { newUuid } from '../../src/wiring/system.ts';
import { makeFakeClock } from '../fakes/clock.ts';
import { makeListeningLog } from '../fakes/log.ts';
import { makeFakeMeters } from '../fakes/meters.ts';
import { eventually } from '../support/eventually.ts';
import { quiet, REPLICA, usd } from '../support/gateway-kit.ts';
import { openTestStore } from '../support/open-test-store.ts';
import { makeModel, makeProvider, makeRegistry } from '../support/registries.ts';
import { makeDatabase, makeStoreDatabase } from '../support/store-database.ts';

const REGISTRY = makeRegistry(makeProvider('a', [makeModel('m', '1')], { requestsPerMinute: 10_000 }));
const START = epochMs(Date.UTC(2026, 0, 1));
const ANN = userAccount('ann');
const STEP = { accountsMax: 100, entriesMax: 1_000, restMs: 0 };

/** The books as one replica checks them, a minute at a time. */
function watch(books: BooksPort) {
  const clock = makeFakeClock();
  const meters = makeFakeMeters();
  const { log, lines } = makeListeningLog();
  const memory = makeMemoryStore({ registry: REGISTRY, now: clock.now, replica: REPLICA });
  let checks = 0;
  const store: Store = {
    ...memory,
    async checkBooks(step) {
      try {
        return await books.checkBooks(step);
      } finally {
        checks += 1;
      }
    },
  };
  const pump = startBooksCheck({ store, clock, log, meters });
  /** What the log has gained after `act` and one more minute. */
  const minute = async () => {
    const [before, seen] = [lines.length, checks];
    clock.advance(60_000);
    await eventually(() => checks > seen);
    await quiet();
    return lines.slice(before);
  };
  return {
    pump,
    minute,
    lines,
    shown: () => meters.shown('booksDifferences'),
    stop: () => pump[Symbol.asyncDispose](),
  };
}

async function spend(store: Pick<Store, 'admit' | 'settle'>, account: string, amount: bigint) {
  const id = holdId(newUuid());
  const bound = { input: picoUsd(1_000n), perOutputToken: picoUsd(0n), outputTokensMax: 1, outputTokensMin: 1 };
  await store.admit({
    requestId: requestId(newUuid()),
    attempt: 1,
    holdId: id,
    account: userAccount(account),
    also: [],
    defaultCap: usd('1'),
    ceiling: null,
    candidates: [{ provider: providerKey('a'), model: 'm', bound }],
    attemptMs: 1_000,
  });
  await store.settle({
    holdId: id,
    charge: { kind: 'spent', amount: picoUsd(amount), source: 'reported' },
    verdict: { kind: 'neutral' },
    jitter: 0,
    throttledForMs: null,
    setAside: null,
  });
}

/** A real database whose clock a test moves, and as many replicas on it. */
async function makeBooks(replicas = 1) {
  const opened = new AsyncDisposableStack();
  const database = opened.use(await makeStoreDatabase(START));
  let now = START;
  const stores: Store[] = [];
  for (let made = 0; made < replicas; made += 1) {
    const options = { kind: 'postgres', url: database.url, registry: REGISTRY } as const;
    const { log } = makeListeningLog();
    stores.push(opened.use(await openTestStore({ ...options, replica: replicaId(`replica-${made}`), log })));
  }
  return {
    sql: database.sql,
    store: stores[0]!,
    stores,
    async pass(ms: number) {
      now = epochMs(now + ms);
      await database.setClock(now);
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

describe('on PostgreSQL', () => {
  test('a row that was broken by hand is an error in the log and on the meter of every replica, until it is mended', async () => {
    await using books = await makeBooks(2);
    const { sql, stores } = books;
    for (const user of ['ann', 'bob', 'cleo']) await spend(books.store, user, 250n);
    const [one, two] = [watch(stores[0]!), watch(stores[1]!)];
    await eventually(() => one.shown() === 0 && two.shown() === 0);
    expect([...one.lines, ...two.lines]).toEqual([]);

    await sql`update switchyard.account set posted = posted + 7, held = held + 3 where key = ${ANN}`;
    await books.pass(60_000);
    const fields = { account: ANN, held: '3', heldSum: '0', posted: '257', postedSum: '250' };
    expect(await one.minute()).toEqual([{ level: 'error', message: 'the books do not balance', fields }]);
    // The other one looked too soon to look again, but it knows.
    expect(await two.minute()).toEqual([]);
    expect([one.shown(), two.shown()]).toEqual([1, 1]);

    await sql`update switchyard.account set posted = posted - 7, held = held - 3 where key = ${ANN}`;
    await books.pass(60_000);
    expect(await two.minute()).toEqual([
      { level: 'info', message: 'the books balance again', fields: { account: ANN } },
    ]);
    await one.minute();
    expect([one.shown(), two.shown()]).toEqual([0, 0]);
    await Promise.all([one.stop(), two.stop()]);
  });

  test('an entry that is missing, a hold that is too many and an account that is gone are found and forgotten', async () => {
    await using books = await makeBooks();
    const { sql, store } = books;
    for (const user of ['ann', 'bob', 'cleo']) await spend(store, user, 250n);
    await sql`delete from switchyard.ledger_entry where account = ${userAccount('bob')}`;
    await sql`update switchyard.hold set state = 'held' where account = ${userAccount('cleo')}`;
    expect(await store.checkBooks(STEP)).toEqual({
      kind: 'checked',
      accounts: 3,
      differences: [
        { account: 'user:bob', held: 0n, heldSum: 0n, posted: 250n, postedSum: 0n },
        { account: 'user:cleo', held: 0n, heldSum: 1_000n, posted: 250n, postedSum: 250n },
      ],
      balancedAgain: [],
      isRoundDone: true,
      differencesKnown: 2,
    });
    await sql`delete from switchyard.account where key = ${userAccount('bob')}`;
    await sql`update switchyard.hold set state = 'posted'`;
    expect(await store.checkBooks(STEP)).toMatchObject({ balancedAgain: ['user:cleo'], differencesKnown: 0 });
  });

  test('no step reads more than it may: many accounts and a long ledger take several, and what comes meanwhile is counted', async () => {
    await using books = await makeBooks();
    const { store, sql } = books;
    for (let spent = 0; spent < 25; spent += 1) await spend(store, 'bob', 10n);
    for (const user of ['ann', 'cleo', 'dan']) await spend(store, user, 1n);
    await sql`update switchyard.account set posted = posted + 1 where key = ${userAccount('bob')}`;
    const step = { accountsMax: 2, entriesMax: 10, restMs: 0 };
    const look = async () => {
      const check = await store.checkBooks(step);
      return check.kind === 'checked' ? [check.accounts, check.differences.length, check.isRoundDone] : check.kind;
    };
    // Ann and 9 entries of Bob; 10 more of Bob; his last 6, the 2 that come in between, and Cleo; Dan, and the end.
    expect(await look()).toEqual([1, 0, false]);
    await spend(store, 'bob', 10n);
    await spend(store, 'aaron', 10n);
    expect(await look()).toEqual([0, 0, false]);
    await spend(store, 'bob', 10n);
    expect(await look()).toEqual([2, 1, false]);
    expect(await look()).toEqual([1, 0, true]);
    const [kept] = await sql`select posted::text, posted_sum::text from switchyard.books_difference`;
    expect(kept).toEqual({ posted: '271', posted_sum: '270' });
  });

  test('a long ledger is read once, piece by piece, also while the planner takes it for short', async () => {
    await using books = await makeBooks();
    const { sql } = books;
    const [users, short, long] = [500, 20_000, 20_000];
    await sql`insert into switchyard.account (key, posted, period_started_at)
      select 'user:' || n, 40 * 3, now() from generate_series(1, ${users}) n union all select 'anonymous', ${long}, now()`;
    await sql`insert into switchyard.ledger_entry (account, amount, kind, evidence, at)
      select 'user:' || n % ${users} + 1, 3, 'settled', 'reported', now() from generate_series(1, ${short}) n`;
    await sql`analyze`;
    await sql`insert into switchyard.ledger_entry (account, amount, kind, evidence, at)
      select 'anonymous', 1, 'settled', 'reported', now() from generate_series(1, ${long})`;
    const wrong: unknown[] = [];
    for (let isRoundDone = false; !isRoundDone; ) {
      const [row] = await sql`select switchyard.check_books(5000, 1000, 0) as step`;
      wrong.push(...row!.step.differences);
      isRoundDone = row!.step.isRoundDone;
    }
    expect(wrong).toEqual([]);
    await sql`select pg_stat_force_next_flush()`;
    const [read] = await sql`select idx_tup_read::int as entries from pg_stat_user_indexes
      where indexrelname = 'ledger_entry_of_account'`;
    // A reading of statistics may touch a few more.
    expect(read!.entries).toBeLessThan(1.1 * (short + long));
  });

  test('one replica checks at a time, and a round begins no sooner than its rest allows', async () => {
    await using books = await makeBooks(2);
    const { sql, stores } = books;
    await spend(books.store, 'ann', 1n);
    await sql.begin(async (other) => {
      await other`select pg_advisory_xact_lock(hashtext('switchyard.check_books'))`;
      expect(await stores[0]!.checkBooks(STEP)).toEqual({ kind: 'notDue', differencesKnown: 0 });
    });
    const step = { ...STEP, restMs: 45_000 };
    expect(await stores[0]!.checkBooks(step)).toMatchObject({ kind: 'checked', isRoundDone: true });
    await books.pass(44_999);
    expect(await stores[1]!.checkBooks(step)).toEqual({ kind: 'notDue', differencesKnown: 0 });
    await books.pass(1);
    expect(await stores[1]!.checkBooks(step)).toMatchObject({ kind: 'checked', isRoundDone: true });
  });

  test('under fire nothing is taken for a difference that is none', async () => {
    await using database = await makeDatabase();
    await using opened = new AsyncDisposableStack();
    const options = { kind: 'postgres', url: database.url, registry: REGISTRY, log: makeListeningLog().log } as const;
    const stores = [
      opened.use(await openTestStore({ ...options, replica: replicaId('one') })),
      opened.use(await openTestStore({ ...options, replica: replicaId('two') })),
    ];
    let running = 8;
    const callers = Array.from({ length: running }, async (_none, caller) => {
      for (let spent = 0; spent < 40; spent += 1) await spend(stores[caller % 2]!, `user-${spent % 3}`, BigInt(spent));
      running -= 1;
    });
    let accounts = 0;
    while (running > 0) {
      const check = await stores[0]!.checkBooks({ accountsMax: 2, entriesMax: 7, restMs: 0 });
      if (check.kind !== 'checked') continue;
      accounts += check.accounts;
      expect(check.differences).toEqual([]);
    }
    await Promise.all(callers);
    expect(accounts).toBeGreaterThan(3);
  });
});

describe('in memory', () => {
  test('an account that keeps more than its holds is found, and forgotten when it is mended', async () => {
    const clock = makeFakeClock();
    const state = makeMemoryState({ registry: REGISTRY, now: clock.now, replica: REPLICA });
    const acts = makeMemoryAdmission(state);
    for (const user of ['ann', 'bob', 'cleo']) await spend(acts, user, 250n);
    const books = makeMemoryBooks(state);
    const step = { accountsMax: 2, entriesMax: 10, restMs: 0 };
    const [ann] = state.accounts.values();
    state.accounts.set(ANN, { ...ann!, held: picoUsd(5n) });
    expect(await books.checkBooks(step)).toMatchObject({
      accounts: 2,
      differences: [{ account: ANN, held: 5n, heldSum: 0n }],
      isRoundDone: false,
      differencesKnown: 1,
    });
    state.accounts.set(ANN, ann!);
    expect(await books.checkBooks(step)).toMatchObject({ accounts: 1, differences: [], isRoundDone: true });
    expect(await books.checkBooks(step)).toMatchObject({ balancedAgain: [ANN], differencesKnown: 0 });
  });
});

test('a flood of differences is told with an end, and a store that is away is said, not taken for one', async () => {
  const difference = { held: picoUsd(1n), heldSum: picoUsd(0n), posted: picoUsd(0n), postedSum: picoUsd(0n) };
  let isAway = false;
  const checked = watch({
    async checkBooks({ accountsMax }) {
      if (isAway) throw new Error('connection refused');
      const differences = Array.from({ length: accountsMax }, (_none, at) => ({
        account: accountKey(`${at}`),
        ...difference,
      }));
      return {
        kind: 'checked',
        accounts: accountsMax,
        differences,
        balancedAgain: [],
        isRoundDone: true,
        differencesKnown: 200,
      };
    },
  });
  await quiet();
  expect(checked.lines).toHaveLength(21);
  expect(checked.lines.at(-1)).toEqual({
    level: 'error',
    message: 'the books of more accounts do not balance',
    fields: { accounts: 180 },
  });
  isAway = true;
  expect(await checked.minute()).toMatchObject([{ level: 'warn', fields: { reason: 'Error: connection refused' } }]);
  expect(checked.shown()).toBe(200);
  await checked.stop();
});
