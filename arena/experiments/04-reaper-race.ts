import type postgres from 'postgres';
import { type HoldId, holdId, requestId, userAccount } from '../../src/core/ids.ts';
import { picoUsd } from '../../src/core/money.ts';
import type { Registry } from '../../src/core/registry.ts';
import type { Charge } from '../../src/ports/admission.ts';
import type { Store } from '../../src/ports/store.ts';
import { newUuid } from '../../src/wiring/system.ts';
import { makeModel, makeProvider, makeRegistry } from '../../test/support/registries.ts';
import { bookFaults, doublePostings, heldOf } from '../support/books.ts';
import type { Chance } from '../support/chance.ts';
import type { DatabaseClock } from '../support/database-clock.ts';
import { type Context, defineExperiment, makeFaults } from '../support/experiment.ts';
import { DEFAULT_CAP } from '../support/scene.ts';
import { openStores } from '../support/stores.ts';

const PROVIDERS = 4;
const REQUESTS_PER_MINUTE = 10_000;
const ACCOUNTS = 40;
const ADMITTING = 48;
const SETTLING = 32;
const REAPERS = 3;
const REAP_MAX = 10;
/** A hold lives so much longer than its attempt. */
const HOLD_MARGIN_MS = 30_000;
const GROUP_GAP_MS = 1_000;
const SHARE_NEVER_SETTLED = 0.1;
const SHARE_SETTLED_TWICE = 0.2;

/** Holds become due, group by group, at the very moment at which their settles arrive. */
export const reaperRace = defineExperiment({
  number: 4,
  title: 'the reaper against late settles',
  mustYield: 'each hold resolved once, 0 SQL errors',
  sizes: { quick: { holds: 1_200, groups: 6, stores: 4 }, full: { holds: 12_000, groups: 30, stores: 6 } },
  async run(context, size) {
    await using stack = new AsyncDisposableStack();
    const race = await openRace(stack, context, size.stores);
    const faults = makeFaults();
    const perGroup = Math.floor(size.holds / size.groups);
    const groups: (readonly Held[])[] = [];
    for (let group = 1; group <= size.groups; group += 1) {
      context.progress(`admitting group ${group} of ${size.groups}`);
      groups.push(await admitGroup(race, perGroup));
      await race.clock.advance(GROUP_GAP_MS);
    }
    await race.clock.advance(HOLD_MARGIN_MS - size.groups * GROUP_GAP_MS);
    for (const [index, group] of groups.entries()) {
      context.progress(`settling and reaping group ${index + 1} of ${size.groups}`);
      await race.clock.advance(GROUP_GAP_MS);
      await settleWhileReaping(race, group);
    }
    await race.clock.advance(HOLD_MARGIN_MS);
    while ((await race.stores[0]?.reap(REAP_MAX))?.length) context.progress('reaping what nobody settled');
    const held = groups.flat();
    const wrong = await wronglyResolved(race, held);
    const { sql } = race;
    const left = await heldOf(sql);
    faults.list.push(...race.errors.slice(0, 5), ...wrong.slice(0, 5), ...(await doublePostings(sql)));
    faults.list.push(
      ...(await bookFaults(sql, DEFAULT_CAP)).map(({ account, what, detail }) => `${what}: ${account}: ${detail}`),
    );
    faults.expect(race.errors.length === 0, `${race.errors.length} SQL errors`);
    faults.expect(left.holds === 0 && left.held === 0n, `${left.holds} holds are left`);
    const reaped = await reapedOf(race);
    faults.expect(reaped.corrected > 0, 'no settle came after the reaper, so nothing was shown');
    return {
      figure: `${held.length - wrong.length} of ${held.length} holds resolved once and to the pico-dollar, ${race.errors.length} SQL errors; the reaper was first at ${reaped.corrected} that were settled late, and alone at ${reaped.expired}`,
      figures: { holds: held.length, wrong: wrong.length, sqlErrors: race.errors.length, ...reaped },
      faults: faults.list,
    };
  },
});

interface Race {
  readonly stores: readonly Store[];
  readonly sql: postgres.Sql;
  readonly clock: DatabaseClock;
  readonly chance: Chance;
  readonly registry: Registry;
  readonly errors: string[];
}

interface Held {
  readonly id: HoldId;
  readonly amount: bigint;
  /** What its settle will say. Null: it has none. */
  readonly charge: Charge | null;
  readonly isSettledTwice: boolean;
}

async function openRace(stack: AsyncDisposableStack, context: Context, count: number): Promise<Race> {
  const database = await (await context.sharedPostgres()).makeDatabase();
  const clock = await database.makeClock();
  const keys = Array.from({ length: PROVIDERS }, (_none, index) => `race-${index + 1}`);
  const providers = keys.map((key) =>
    makeProvider(key, [makeModel('any', '1')], { requestsPerMinute: REQUESTS_PER_MINUTE }),
  );
  const registry = makeRegistry(...providers);
  const stores = await openStores(stack, { url: database.urlVia(), registry, count });
  return { stores, sql: database.sql, clock, chance: context.chance, registry, errors: [] };
}

async function admitGroup(race: Race, count: number): Promise<readonly Held[]> {
  const held: Held[] = [];
  await atOnce(ADMITTING, count, async (sequence) => {
    const store = race.stores[sequence % race.stores.length];
    const amount = BigInt(race.chance.int({ min: 1, max: 1_000_000 }));
    const id = holdId(newUuid());
    const account = userAccount(`race-${race.chance.int({ min: 1, max: ACCOUNTS })}`);
    const answer = await store?.admit({
      requestId: requestId(newUuid()),
      attempt: 1,
      holdId: id,
      account,
      also: [],
      defaultCap: picoUsd(DEFAULT_CAP),
      ceiling: null,
      candidates: race.registry.providers.map(({ key }) => ({ provider: key, model: 'any', bound: boundOf(amount) })),
      attemptMs: 0,
    });
    if (answer?.kind !== 'admitted')
      throw new Error(`hold ${sequence} was not admitted: ${JSON.stringify(answer?.refusals)}`);
    held.push({
      id,
      amount,
      charge: drawCharge(race.chance, amount),
      isSettledTwice: race.chance.next() < SHARE_SETTLED_TWICE,
    });
  });
  return held;
}

function boundOf(amount: bigint) {
  return { input: picoUsd(amount), perOutputToken: picoUsd(0n), outputTokensMax: 1, outputTokensMin: 1 };
}

function drawCharge(chance: Chance, amount: bigint): Charge | null {
  const drawn = chance.next();
  if (drawn < SHARE_NEVER_SETTLED) return null;
  if (drawn < 0.2) return { kind: 'nothing' };
  if (drawn < 0.3) return { kind: 'hold' };
  const spent = picoUsd(BigInt(Math.floor(Number(amount) * chance.next())));
  return { kind: 'spent', amount: spent, source: 'reported' };
}

/** Everything about one group at once: settles in random order from all stores, and reapers from others. */
async function settleWhileReaping(race: Race, group: readonly Held[]): Promise<void> {
  const wishes = group
    .flatMap((held) => (held.isSettledTwice ? [held, held] : [held]))
    .filter(({ charge }) => charge !== null);
  const shuffled = wishes
    .map((held) => ({ held, key: race.chance.next() }))
    .toSorted((one, other) => one.key - other.key);
  let isSettling = true;
  const reap = async (place: number) => {
    while (isSettling) await noting(race, async () => race.stores[place % race.stores.length]?.reap(REAP_MAX));
  };
  const reapers = Array.from({ length: REAPERS }, (_none, place) => reap(place));
  await atOnce(SETTLING, shuffled.length, async (sequence) => {
    const { held } = shuffled[sequence - 1] ?? {};
    const charge = held?.charge ?? null;
    if (held === undefined || charge === null) return;
    const settlement = {
      holdId: held.id,
      charge,
      verdict: { kind: 'success' },
      jitter: 0,
      throttledForMs: null,
      setAside: null,
    } as const;
    await noting(race, async () => race.stores[sequence % race.stores.length]?.settle(settlement));
  });
  isSettling = false;
  await Promise.all(reapers);
}

async function noting(race: Race, act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    race.errors.push(String(error));
  }
}

/** So many at once, each numbered from 1. */
async function atOnce(lanes: number, count: number, act: (sequence: number) => Promise<void>): Promise<void> {
  let taken = 0;
  const lane = async () => {
    while (taken < count) {
      taken += 1;
      await act(taken);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

/** What all entries of a hold come to is what its settle said, or all of it when it had none. */
async function wronglyResolved(race: Race, held: readonly Held[]): Promise<readonly string[]> {
  const rows = await race.sql`
    select h.id, h.state, coalesce(sum(e.amount), 0)::text as net
    from switchyard.hold h left join switchyard.ledger_entry e on e.hold_id = h.id group by h.id`;
  const known = new Map(rows.map((row) => [row.id, row]));
  return held.flatMap(({ id, amount, charge }) => {
    const row = known.get(id);
    const wanted = charge === null || charge.kind === 'hold' ? amount : charge.kind === 'nothing' ? 0n : charge.amount;
    const state = charge === null ? 'expired' : charge.kind === 'nothing' ? 'voided' : 'posted';
    return row?.state === state && BigInt(row.net) === wanted
      ? []
      : [`hold ${id} of ${amount} should be ${state} at ${wanted}, and is ${row?.state} at ${row?.net}`];
  });
}

async function reapedOf(race: Race): Promise<{ readonly corrected: number; readonly expired: number }> {
  const [row] = await race.sql`
    select count(*) filter (where kind = 'correction')::int as corrected,
      (select count(*) from switchyard.hold where state = 'expired')::int as expired from switchyard.ledger_entry`;
  return { corrected: Number(row?.corrected), expired: Number(row?.expired) };
}
