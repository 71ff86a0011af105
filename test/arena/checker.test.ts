import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bookFaults, doublePostings, heldOf, sampleBooks } from '../../arena/support/books.ts';
import type { Exchange, Reply } from '../../arena/support/client.ts';
import { reconcile } from '../../arena/support/reconcile.ts';
import type { BillEntry } from '../../arena/support/upstream/bill.ts';
import { eventually } from '../support/eventually.ts';
import { makeDatabase } from '../support/store-database.ts';

// Every fault that the checker is there to find is planted once: a checker that cannot fail proves nothing.

const CAP = 1_000n;

let stack: AsyncDisposableStack;
let sql: postgres.Sql;

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  const database = stack.use(await makeDatabase());
  sql = postgres(database.url, { max: 2, onnotice: () => undefined });
  stack.defer(() => sql.end({ timeout: 1 }));
});

afterEach(() => stack.disposeAsync());

/** Books in which one request of 100 was answered: everything agrees. */
async function makeHonestBooks() {
  const requestId = randomUUID();
  await sql`insert into switchyard.account (key, posted, held, period_started_at) values ('user:ann', 100, 0, now())`;
  const holdId = await addHold({ requestId, amount: 300, state: 'posted' });
  await addEntry({ holdId, amount: 100, kind: 'settled', evidence: 'reported' });
  await addRow(requestId, 100);
  const answer: Reply = { kind: 'answered', provider: 'one', cost: 100n, isReplayed: false, attempts: 1 };
  const exchanges = [exchangeOf({ tag: 'a', requestId, reply: answer })];
  return { requestId, holdId, exchanges, bill: [entryOf('a', 100n)] };
}

async function addHold(of: { readonly requestId: string; readonly amount: number; readonly state: string }) {
  const id = randomUUID();
  await sql`insert into switchyard.hold
    (id, request_id, attempt, account, provider, model, amount, state, epoch, is_probe, started_at, expires_at, replica)
    values (${id}, ${of.requestId}, 1, 'user:ann', 'one', 'one-1', ${of.amount}, ${of.state}, 0, false, now(), now(), 'r')`;
  return id;
}

async function addEntry(of: { holdId: string | null; amount: number; kind: string; evidence: string }) {
  await sql`insert into switchyard.ledger_entry (account, hold_id, amount, kind, evidence, at)
    values ('user:ann', ${of.holdId}, ${of.amount}, ${of.kind}, ${of.evidence}, now())`;
}

async function addRow(requestId: string, cost: number) {
  await sql`insert into switchyard.request (id, created_at, recorded_at, status, door, is_streamed, account, model_requested,
      category, fell_back, cost_total, cost_input, cost_output, cost_reserved, price_list_version, saved, total_ms,
      upstream_ms, overhead_ms, decision, metadata)
    values (${requestId}, now(), now(), 'succeeded', 'graphql', false, 'user:ann', 'auto', 'general', false, ${cost}, 0, 0, 0,
      'p', 0, 1, 1, 1, '{}', '{}')`;
}

function exchangeOf(of: { readonly tag: string; readonly requestId: string | null; readonly reply: Reply }): Exchange {
  const wish = { tag: of.tag, userId: 'ann', maxOutputTokens: 1 };
  return { wish, url: 'http://r', requestId: of.requestId, sentAtMs: 0, ms: 1, reply: of.reply };
}

function entryOf(tag: string, amount: bigint): BillEntry {
  return { number: 1, provider: 'one', tag, atMs: 0, inputTokens: 1, outputTokens: 1, amount };
}

function check(of: { readonly bill: readonly BillEntry[]; readonly exchanges: readonly Exchange[] }) {
  const wishes = of.exchanges.map(({ wish }) => wish);
  return reconcile({ bill: of.bill, log: { exchanges: of.exchanges, wishes }, sql, defaultCap: CAP });
}

test('honest books have no fault', async () => {
  const books = await makeHonestBooks();
  expect(await check(books)).toMatchObject({ faults: [], answered: 1, billed: 100n, booked: 100n, unconfirmed: 0n });
  expect(await heldOf(sql)).toEqual({ held: 0n, holds: 0 });
});

test('an answer that the request log does not have is lost', async () => {
  const { requestId, ...books } = await makeHonestBooks();
  await sql`delete from switchyard.request where id = ${requestId}`;
  const found = await check(books);
  expect(found.rowsLost).toBe(1);
  expect(found.faults.join()).toContain('is not in the request log');
});

test('a row with another cost is no row', async () => {
  const { requestId, ...books } = await makeHonestBooks();
  await sql`update switchyard.request set cost_total = 99 where id = ${requestId}`;
  expect((await check(books)).faults.join()).toContain('was answered at 100, but the log says succeeded at 99');
});

test('a settle that never came is found, although the money is still held', async () => {
  const { holdId, ...books } = await makeHonestBooks();
  await sql`delete from switchyard.ledger_entry where hold_id = ${holdId}`;
  await sql`update switchyard.hold set state = 'held'`;
  await sql`update switchyard.account set posted = 0, held = 300`;
  const found = await check(books);
  expect(found).toMatchObject({ settlesLost: 1, accountsShort: 0 });
  expect(found.faults.join()).toContain('the ledger has 0 and 1 open holds');
});

test('a settle that was done twice is found', async () => {
  const { holdId, ...books } = await makeHonestBooks();
  await addEntry({ holdId, amount: 100, kind: 'settled', evidence: 'reported' });
  await sql`update switchyard.account set posted = 200`;
  expect(await doublePostings(sql)).toHaveLength(1);
  expect((await check(books)).faults.join()).toContain('is posted with 2 entries, 2 of them settles');
});

test('a bill that nobody is charged for is found', async () => {
  const books = await makeHonestBooks();
  const bill = [...books.bill, entryOf('a', 1n)];
  const found = await check({ ...books, bill });
  expect(found.accountsShort).toBe(1);
  expect(found.faults.join()).toContain('user:ann was billed 101, but only 100 is posted and held');
  const stranger = await check({ ...books, bill: [...books.bill, entryOf('b', 1n)] });
  expect(stranger.faults.join()).toContain('who has no account');
});

test('a charge above the bill needs a hold that nobody confirmed', async () => {
  const { requestId: _requestId, ...books } = await makeHonestBooks();
  await sql`update switchyard.account set posted = 150`;
  await addEntry({ holdId: null, amount: 50, kind: 'settled', evidence: 'reported' });
  expect((await check(books)).faults.join()).toContain('charged 150, billed 100, and only 0 of it is unconfirmed');
  await addHold({ requestId: randomUUID(), amount: 50, state: 'expired' });
  expect((await check(books)).faults.join()).not.toContain('unconfirmed');
});

test('an answer that no upstream has seen, or billed otherwise, is found', async () => {
  const books = await makeHonestBooks();
  expect((await check({ ...books, bill: [] })).faults.join()).toContain('no upstream has seen it');
  const otherwise = await check({ ...books, bill: [entryOf('a', 99n)] });
  expect(otherwise.faults.join()).toContain('was answered at 100, but billed at 99');
});

test('an account above its cap, and sums that do not add up, are found', async () => {
  await makeHonestBooks();
  await sql`update switchyard.account set posted = 1001, held = 5`;
  const faults = await bookFaults(sql, CAP);
  expect(faults.map(({ what }) => what).toSorted()).toEqual([
    'heldIsNotTheSumOfHolds',
    'overspent',
    'postedIsNotTheSumOfEntries',
  ]);
  await sql`update switchyard.account set cap = 2000, held = 0, posted = 100`;
  expect(await bookFaults(sql, CAP)).toEqual([]);
});

test('snapshots are taken until they are stopped, and keep what they saw', async () => {
  await makeHonestBooks();
  const sampler = sampleBooks({ sql: () => sql, defaultCap: CAP, everyMs: 1 });
  await eventually(() => sampler.samples > 2);
  expect(sampler.faults).toEqual([]);
  await sql`update switchyard.account set held = 901`;
  await eventually(() => sampler.faults.length > 0);
  await sampler[Symbol.asyncDispose]();
  expect(sampler.faults[0]).toContain('user:ann');
});
