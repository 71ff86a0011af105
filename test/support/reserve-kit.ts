import type postgres from 'postgres';
import {
  type AccountKey,
  type HoldId,
  holdId,
  type ReplicaId,
  replicaId,
  requestId,
  userAccount,
} from '../../src/core/ids.ts';
import { type PicoUsd, picoUsd } from '../../src/core/money.ts';
import { type EpochMs, epochMs, later } from '../../src/core/time.ts';
import type { Charge, Settlement } from '../../src/ports/admission.ts';
import type { Draw, ReserveWish } from '../../src/ports/reserve.ts';
import type { DurableStore } from '../../src/ports/store.ts';
import { newUuid } from '../../src/wiring/system.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import { usd } from './gateway-kit.ts';
import { openTestStore } from './open-test-store.ts';
import { makeModel, makeProvider, makeRegistry } from './registries.ts';
import { makeStoreDatabase } from './store-database.ts';

// Two replicas that set money and places aside on a real PostgreSQL, whose clock a test moves.

const REGISTRY = makeRegistry(makeProvider('a', [makeModel('a-1', '1')], { requestsPerMinute: 40 }));
const REPLICAS = [replicaId('replica-1'), replicaId('replica-2')] as const;
const START = epochMs(Date.UTC(2026, 0, 15));

export const PROVIDER = REGISTRY.providers[0]!.key;
export const ANN = userAccount('ann');
export const CAP = usd('1.00');
/** The largest slice. */
export const LARGEST = usd('0.04');
export const NO_SLOTS = { renew: [], giveBack: [], take: [] } as const;

export const newId = () => holdId(newUuid());

export const wishOf = (wish: Partial<ReserveWish>): ReserveWish => ({
  keep: [],
  renew: [],
  take: [],
  amountMax: LARGEST,
  slots: NO_SLOTS,
  ...wish,
});

export const settlementOf = (id: HoldId, charge: Charge, change: Partial<Settlement> = {}): Settlement => ({
  holdId: id,
  charge,
  verdict: { kind: 'success' },
  jitter: 0,
  throttledForMs: null,
  setAside: null,
  ...change,
});

export async function takeSlice(store: DurableStore, keep: readonly HoldId[] = [], also: readonly AccountKey[] = []) {
  const reserved = await store.reserve(wishOf({ keep, take: [{ id: newId(), account: ANN, also, defaultCap: CAP }] }));
  return reserved.slices[0] ?? null;
}

export type ReserveKit = Awaited<ReturnType<typeof makeReserveKit>>;

export async function makeReserveKit() {
  const stack = new AsyncDisposableStack();
  const database = stack.use(await makeStoreDatabase(START));
  const { sql } = database;
  const open = (replica: ReplicaId) =>
    openTestStore({ kind: 'postgres', url: database.url, registry: REGISTRY, replica, log: SILENT_LOG });
  const stores = [stack.use(await open(REPLICAS[0])), stack.use(await open(REPLICAS[1]))] as const;
  const [first] = stores;
  let now = START;
  const moveTo = async (instant: EpochMs) => {
    now = instant;
    await database.setClock(now);
  };
  const drawOf = (slice: HoldId, amount: PicoUsd): Draw => ({
    holdId: newId(),
    slice,
    account: ANN,
    requestId: requestId(newUuid()),
    attempt: 1,
    provider: PROVIDER,
    model: 'a-1',
    amount,
    epoch: 0,
    startedAtMs: now,
  });
  const spendText = (draw: Draw, charge: Charge, change: Partial<Settlement> = {}) =>
    first.encode({ kind: 'spend', draw, settlement: settlementOf(draw.holdId, charge, change) });
  return {
    stores,
    sql,
    now: () => now,
    wait: (ms: number) => moveTo(later(now, ms)),
    drawOf,
    spendText,
    spend: (slice: HoldId, held: PicoUsd, spent: PicoUsd) =>
      first.carryOut(spendText(drawOf(slice, held), { kind: 'spent', amount: spent, source: 'reported' })),
    async money(key = ANN) {
      const { posted, held } = await first.account(key);
      return { posted, held };
    },
    admit(amount: PicoUsd, also: readonly AccountKey[] = []) {
      const bound = { input: amount, perOutputToken: picoUsd(0n), outputTokensMax: 1, outputTokensMin: 1 };
      return first.admit({
        requestId: requestId(newUuid()),
        attempt: 1,
        holdId: newId(),
        account: ANN,
        also,
        defaultCap: CAP,
        ceiling: null,
        candidates: [{ provider: PROVIDER, model: 'a-1', bound }],
        attemptMs: 5_000,
      });
    },
    async empty() {
      await sql`truncate switchyard.account, switchyard.hold, switchyard.ledger_entry`;
      await sql`update switchyard.rate_slot set free_at = '-infinity'`;
      await moveTo(START);
    },
    wrongBooks: () => wrongBooks(sql, CAP),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Accounts and holds that break what docs/budgets.md promises for every moment. */
export async function wrongBooks(sql: postgres.Sql, cap: PicoUsd) {
  const accounts = await sql`
    select a.key from switchyard.account a
    where a.held <> (select coalesce(sum(amount), 0) from switchyard.hold h
                     where a.key = any(array_prepend(h.account, h.also)) and h.state = 'held')
       or a.posted <> (select coalesce(sum(amount), 0) from switchyard.ledger_entry e where e.account = a.key)
       or a.posted + a.held > ${cap.toString()}::bigint`;
  const holds = await sql`
    select h.id from switchyard.hold h cross join unnest(array_prepend(h.account, h.also)) payer
    left join switchyard.ledger_entry e on e.hold_id = h.id and e.account = payer group by h.id, payer
    having count(e.id) <> case when h.state = 'held' then 0 when h.state = 'expired' then 1
      else 1 + count(*) filter (where e.kind = 'unconfirmed') end`;
  return [...accounts, ...holds];
}
