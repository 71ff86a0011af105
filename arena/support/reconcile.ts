import type postgres from 'postgres';
import { bookFaults, doublePostings } from './books.ts';
import type { Exchange, Wish } from './client.ts';
import type { ClientLog } from './client-log.ts';
import type { BillEntry } from './upstream/bill.ts';

/** The three witnesses. Nothing that the service says of itself is asked. The bill is read first: what is in it was held before. */
export interface Witnesses {
  readonly bill: readonly BillEntry[];
  readonly log: Pick<ClientLog, 'exchanges' | 'wishes'>;
  readonly sql: postgres.Sql;
  readonly defaultCap: bigint;
}

export interface Reconciled {
  /** Sentences. Empty: all is as it was promised. */
  readonly faults: readonly string[];
  /** Answers that clients got. */
  readonly answered: number;
  /** Answered requests that the request log does not have, or has with another cost. */
  readonly rowsLost: number;
  /** Answered requests whose cost is not exactly what the ledger has for them. */
  readonly settlesLost: number;
  /** Accounts for which more was billed than is posted and held. */
  readonly accountsShort: number;
  /** Holds that were posted other than once. */
  readonly doublePostings: number;
  /** In pico-dollars. */
  readonly billed: bigint;
  /** Posted and held together, in pico-dollars. */
  readonly booked: bigint;
  /** Of it, what was posted or is held in full because the truth is not known, in pico-dollars. */
  readonly unconfirmed: bigint;
}

const FAULTS_TOLD_MAX = 5;

/** Accounts for which more was billed than is posted and held. May be asked at any moment, under load too. */
export async function shortAccounts({ sql, log, bill }: Witnesses): Promise<readonly string[]> {
  return compareAccounts(await accountsOf(sql), billByAccount(bill, log.wishes)).short;
}

/** Compares what was billed, what clients were told, and what the tables have. Only at rest, when no chat is under way. */
export async function reconcile(witnesses: Witnesses): Promise<Reconciled> {
  const { sql, defaultCap, log, bill } = witnesses;
  const answered = log.exchanges.filter(({ reply }) => reply.kind === 'answered' && !reply.isReplayed);
  const rows = await lostRows(answered, sql);
  const settles = await lostSettles(answered, sql);
  const accounts = await accountsOf(sql);
  const { short, over } = compareAccounts(accounts, billByAccount(bill, log.wishes));
  const doubles = await doublePostings(sql);
  const books = await bookFaults(sql, defaultCap);
  const told = [
    ...rows,
    ...settles,
    ...short,
    ...over,
    ...unbilledAnswers(answered, bill),
    ...doubles,
    ...books.map((fault) => `${fault.what}: ${fault.account}: ${fault.detail}`),
  ];
  return {
    faults:
      told.length > FAULTS_TOLD_MAX
        ? [...told.slice(0, FAULTS_TOLD_MAX), `and ${told.length - FAULTS_TOLD_MAX} more`]
        : told,
    answered: answered.length,
    rowsLost: rows.length,
    settlesLost: settles.length,
    accountsShort: short.length,
    doublePostings: doubles.length,
    billed: sumOf(bill.map(({ amount }) => amount)),
    booked: sumOf(accounts.map(({ booked }) => booked)),
    unconfirmed: sumOf(accounts.map(({ unconfirmed }) => unconfirmed)),
  };
}

async function lostRows(answered: readonly Exchange[], sql: postgres.Sql): Promise<readonly string[]> {
  const rows = await sql`select id, status, cost_total::text as cost from switchyard.request`;
  const known = new Map(rows.map((row) => [row.id, row]));
  return answered.flatMap(({ requestId, wish, reply }) => {
    const row = known.get(requestId);
    if (row === undefined) return [`answered request ${requestId} (${wish.tag}) is not in the request log`];
    const cost = reply.kind === 'answered' ? reply.cost : 0n;
    return row.status === 'succeeded' && BigInt(row.cost) === cost
      ? []
      : [`request ${requestId} was answered at ${cost}, but the log says ${row.status} at ${row.cost}`];
  });
}

async function lostSettles(answered: readonly Exchange[], sql: postgres.Sql): Promise<readonly string[]> {
  const rows = await sql`
    select h.request_id as id, coalesce(sum(e.amount), 0)::text as posted,
      count(distinct h.id) filter (where h.state = 'held')::int as open
    from switchyard.hold h left join switchyard.ledger_entry e on e.hold_id = h.id and e.account = h.account group by h.request_id`;
  const known = new Map(rows.map((row) => [row.id, row]));
  return answered.flatMap(({ requestId, reply }) => {
    const row = known.get(requestId);
    if (row === undefined) return [`answered request ${requestId} has no hold`];
    const cost = reply.kind === 'answered' ? reply.cost : 0n;
    return row.open === 0 && BigInt(row.posted) === cost
      ? []
      : [`request ${requestId} was answered at ${cost}, but the ledger has ${row.posted} and ${row.open} open holds`];
  });
}

/** The answer's cost is what its provider billed for it. */
function unbilledAnswers(answered: readonly Exchange[], bill: readonly BillEntry[]): readonly string[] {
  const billed = new Map<string, Set<bigint>>();
  for (const { tag, amount } of bill) billed.set(tag, (billed.get(tag) ?? new Set()).add(amount));
  return answered.flatMap(({ wish, reply }) => {
    const amounts = billed.get(wish.tag);
    if (amounts === undefined) return [`${wish.tag} was answered, but no upstream has seen it`];
    return reply.kind === 'answered' && reply.attempts === 1 && !amounts.has(reply.cost)
      ? [`${wish.tag} was answered at ${reply.cost}, but billed at ${[...amounts].join(', ')}`]
      : [];
  });
}

interface AccountSums {
  readonly key: string;
  readonly booked: bigint;
  readonly unconfirmed: bigint;
}

/** What is unconfirmed: open and expired holds, what was counted from above, and what was posted in full because nobody knows. */
async function accountsOf(sql: postgres.Sql): Promise<readonly AccountSums[]> {
  const rows = await sql`
    select a.key, (a.posted + a.held)::text as booked, (coalesce(h.open, 0) + coalesce(e.guessed, 0))::text as unconfirmed
    from switchyard.account a
    left join (select account, sum(amount) as open from switchyard.hold where state in ('held', 'expired') group by account) h
      on h.account = a.key
    left join (select account, sum(amount) as guessed from switchyard.ledger_entry
      where kind = 'settled' and evidence in ('counted', 'estimated') group by account) e on e.account = a.key`;
  return rows.map((row) => ({ key: row.key, booked: BigInt(row.booked), unconfirmed: BigInt(row.unconfirmed) }));
}

function billByAccount(bill: readonly BillEntry[], wishes: readonly Wish[]): ReadonlyMap<string, bigint> {
  const accounts = new Map(wishes.map(({ tag, userId }) => [tag, userId === null ? 'anonymous' : `user:${userId}`]));
  const sums = new Map<string, bigint>();
  for (const { tag, amount } of bill) {
    const account = accounts.get(tag) ?? `nobody who sent ${tag}`;
    sums.set(account, (sums.get(account) ?? 0n) + amount);
  }
  return sums;
}

/** Never less than the bill, and never more than the bill and what is unconfirmed. */
function compareAccounts(accounts: readonly AccountSums[], billed: ReadonlyMap<string, bigint>) {
  const known = new Set(accounts.map(({ key }) => key));
  const strangers = [...billed].flatMap(([key, amount]) =>
    known.has(key) || amount === 0n ? [] : [`${amount} was billed to ${key}, who has no account`],
  );
  const billOf = (key: string) => billed.get(key) ?? 0n;
  return {
    short: [
      ...strangers,
      ...accounts
        .filter(({ key, booked }) => billOf(key) > booked)
        .map(({ key, booked }) => `${key} was billed ${billOf(key)}, but only ${booked} is posted and held`),
    ],
    over: accounts
      .filter(({ key, booked, unconfirmed }) => booked - billOf(key) > unconfirmed)
      .map(
        ({ key, booked, unconfirmed }) =>
          `${key} is charged ${booked}, billed ${billOf(key)}, and only ${unconfirmed} of it is unconfirmed`,
      ),
  };
}

function sumOf(amounts: readonly bigint[]): bigint {
  return amounts.reduce((sum, amount) => sum + amount, 0n);
}
