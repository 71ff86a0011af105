import type postgres from 'postgres';
import {
  type AccountKey,
  apiKeyId,
  holdId,
  keyAccount,
  requestId,
  teamAccount,
  userAccount,
} from '../../src/core/ids.ts';
import { type PicoUsd, picoUsd } from '../../src/core/money.ts';
import type { Registry } from '../../src/core/registry.ts';
import type { Admitted } from '../../src/ports/admission.ts';
import type { Store } from '../../src/ports/store.ts';
import { newUuid } from '../../src/wiring/system.ts';
import { makeModel, makeProvider, makeRegistry } from '../../test/support/registries.ts';
import { bookFaults, doublePostings, heldOf, sampleBooks } from '../support/books.ts';
import { type Context, defineExperiment, makeFaults } from '../support/experiment.ts';
import { DEFAULT_CAP } from '../support/scene.ts';
import { openStores } from '../support/stores.ts';

const PROVIDERS = 4;
const REQUESTS_PER_MINUTE = 10_000;
const KEYS = 5;
const CAP = picoUsd(DEFAULT_CAP);
const SNAPSHOT_EVERY_MS = 10;
const SNAPSHOTS_MIN = 10;
const ACTOR = { name: 'arena', reason: null };

/** Every caller is another user with money enough; the team whose money they all spend as well has one dollar. */
export const oneTeam = defineExperiment({
  number: 21,
  title: '64 users of one team at each of 4 stores on one dollar',
  mustYield:
    'over-spend 0 of users, keys and team in every snapshot; admitted = floor(cap / hold); what is left is admitted to the last pico-dollar',
  sizes: {
    quick: { stores: 2, callersPerStore: 64, rounds: 3 },
    full: { stores: 4, callersPerStore: 64, rounds: 30 },
  },
  async run(context, size) {
    await using stack = new AsyncDisposableStack();
    const club = await openClub(stack, context, size.stores);
    const faults = makeFaults();
    let admitted = 0;
    await using sampler = sampleBooks({ sql: () => club.sql, defaultCap: DEFAULT_CAP, everyMs: SNAPSHOT_EVERY_MS });
    for (let round = 1; round <= size.rounds; round += 1) {
      context.progress(`round ${round} of ${size.rounds}`);
      const hold = picoUsd(BigInt(context.chance.int({ min: 2_000, max: 20_000 })) * 1_000_000n);
      const spent = await spendDollar(club, { ...size, round, hold });
      faults.list.push(...spent.faults.map((fault) => `round ${round}: ${fault}`));
      admitted += spent.admitted;
    }
    const { samples } = sampler;
    const { held, holds } = await heldOf(club.sql);
    faults.expect(samples >= SNAPSHOTS_MIN, `only ${samples} snapshots were taken`);
    faults.expect(held === 0n && holds === 0, `${held} is still held in ${holds} holds`);
    faults.list.push(...(await doublePostings(club.sql)), ...sampler.faults);
    faults.list.push(...(await bookFaults(club.sql, DEFAULT_CAP)).map(({ account, what }) => `${what}: ${account}`));
    const overspends = sampler.faults.length;
    return {
      figure: `${overspends} over-spends in ${samples} snapshots; ${admitted} admitted in ${size.rounds} rounds, and the rest of each dollar to the last pico-dollar`,
      figures: { overspends, snapshots: samples, admitted, rounds: size.rounds },
      faults: faults.list,
    };
  },
});

interface Club {
  readonly stores: readonly Store[];
  readonly sql: postgres.Sql;
  readonly registry: Registry;
}

async function openClub(stack: AsyncDisposableStack, context: Context, count: number): Promise<Club> {
  const database = await (await context.sharedPostgres()).makeDatabase();
  const keys = Array.from({ length: PROVIDERS }, (_none, index) => `club-${index + 1}`);
  const registry = makeRegistry(
    ...keys.map((key) => makeProvider(key, [makeModel('any', '1')], { requestsPerMinute: REQUESTS_PER_MINUTE })),
  );
  const stores = await openStores(stack, { url: database.urlVia(), registry, count });
  return { stores, sql: database.sql, registry };
}

interface Round {
  readonly stores: number;
  readonly callersPerStore: number;
  readonly round: number;
  readonly hold: PicoUsd;
}

/** One team's dollar, spent by all at once until nobody gets anything any more, and then what is left of it. */
async function spendDollar(club: Club, of: Round) {
  const team = teamAccount(`team-${of.round}`);
  const faults = makeFaults();
  await storeAt(club, 0).setBudget({ account: team, cap: CAP, period: 'total', resetUsage: false }, ACTOR);
  const callers = Array.from({ length: of.stores * of.callersPerStore }, (_none, caller) => caller);
  const counts = await Promise.all(callers.map((caller) => spendAsCaller(club, { caller, team, ...of })));
  const admitted = counts.reduce((sum, count) => sum + count, 0);
  const fitting = Number(CAP / of.hold);
  faults.expect(admitted === fitting, `${admitted} were admitted where ${fitting} fit`);
  const rest = picoUsd(CAP - BigInt(admitted) * of.hold);
  const more = await ask(club, { caller: 0, team, round: of.round, amount: picoUsd(rest + 1n) });
  faults.expect(stopperOf(more) === team, 'one pico-dollar more than is left was not refused by the team');
  const all = await ask(club, { caller: 1, team, round: of.round, amount: rest });
  faults.expect(all.kind === 'admitted', 'exactly what is left was refused');
  if (all.kind === 'admitted') await settle(club, 1, all);
  const [sums] = await club.sql`
    select (select posted from switchyard.account where key = ${team})::text as team,
      (select sum(posted) from switchyard.account where key like ${`user:member-${of.round}-%`})::text as users,
      (select sum(posted) from switchyard.account where key like ${`key:club-${of.round}-%`})::text as keys`;
  const isEqual = BigInt(sums?.team) === CAP && BigInt(sums?.users) === CAP && BigInt(sums?.keys) === CAP;
  faults.expect(isEqual, `the team paid ${sums?.team}, its users ${sums?.users}, their keys ${sums?.keys}`);
  return { admitted, faults: faults.list };
}

/** Goes on until no money will come back any more. Answers how often there was some. */
async function spendAsCaller(club: Club, of: Round & { readonly caller: number; readonly team: AccountKey }) {
  for (let admitted = 0; ; ) {
    const answer = await ask(club, { ...of, amount: of.hold });
    if (answer.kind === 'admitted') {
      admitted += 1;
      await settle(club, of.caller, answer);
    } else if (!isWorthARetry(answer)) return admitted;
  }
}

function storeAt({ stores }: Club, caller: number): Store {
  const store = stores[caller % stores.length];
  if (store === undefined) throw new RangeError('there is no store');
  return store;
}

function ask(
  club: Club,
  of: { readonly caller: number; readonly team: AccountKey; readonly round: number; readonly amount: PicoUsd },
): Promise<Admitted> {
  const { caller, team, round, amount } = of;
  const bound = { input: amount, perOutputToken: picoUsd(0n), outputTokensMax: 1, outputTokensMin: 1 };
  return storeAt(club, caller).admit({
    requestId: requestId(newUuid()),
    attempt: 1,
    holdId: holdId(newUuid()),
    account: userAccount(`member-${round}-${caller}`),
    also: [keyAccount(apiKeyId(`club-${round}-${caller % KEYS}`)), team],
    defaultCap: CAP,
    ceiling: null,
    candidates: club.registry.providers.map(({ key }) => ({ provider: key, model: 'any', bound })),
    attemptMs: 5_000,
  });
}

async function settle(club: Club, caller: number, { permit }: Extract<Admitted, { readonly kind: 'admitted' }>) {
  await storeAt(club, caller + 1).settle({
    holdId: permit.holdId,
    charge: { kind: 'spent', amount: permit.held, source: 'reported' },
    verdict: { kind: 'success' },
    jitter: 0,
    throttledForMs: null,
    setAside: null,
  });
}

/** The account that stopped an admission. Null: another reason did, or none. */
function stopperOf({ refusals }: Admitted): AccountKey | null {
  const why = refusals.at(-1)?.why;
  return why?.kind === 'overBudget' ? why.account : null;
}

function isWorthARetry({ refusals }: Admitted): boolean {
  const why = refusals.at(-1)?.why;
  return why?.kind === 'overBudget' ? why.available + why.held >= why.required : why?.kind === 'rateLimited';
}
