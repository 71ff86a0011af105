import { setTimeout as sleep } from 'node:timers/promises';
import { type Sampler, sampleBooks } from './books.ts';
import { describeReply, type Exchange } from './client.ts';
import type { DatabaseClock } from './database-clock.ts';
import { listenAtDoors } from './door-noise.ts';
import { type Context, type Finding, makeFaults, TooCrowded } from './experiment.ts';
import { closedLoad, inBackground, openLoad, quantile } from './load.ts';
import type { ArenaDatabase, PostgresServer } from './postgres.ts';
import type { Reconciled } from './reconcile.ts';
import { makeProvider } from './registry.ts';
import { DEFAULT_CAP, openScene, replicaAt, type Scene } from './scene.ts';
import { settleDown } from './settle-down.ts';

/** How long PostgreSQL is out of reach, and under which load. */
export interface OutageOrder {
  readonly postgres: PostgresServer;
  readonly replicas: number;
  readonly perSecond: number;
  readonly outageMs: number;
  readonly beforeMs: number;
  readonly afterMs: number;
}

/** Takes PostgreSQL away for so long, and brings it back. */
export type Outage = (scene: Scene, forMs: number) => Promise<void>;

/** How replicas are to get over it. */
export interface OutagePlan {
  readonly env: Readonly<Record<string, string>>;
  readonly providers: readonly string[];
  readonly userOf: (turn: number) => string;
  /** Whether this user is to be answered meanwhile. */
  readonly isServed: (userId: string) => boolean;
  /** Before any replica starts. */
  readonly prepare: (database: ArenaDatabase) => Promise<void>;
  /** When chats have been answered for a while, and before PostgreSQL goes away. */
  readonly beforehand: (scene: Scene) => Promise<void>;
  /** When the load has ended. Answers what fell short, in sentences. */
  readonly afterwards: (scene: Scene) => Promise<readonly string[]>;
}

/** Nothing is reserved: everybody is refused meanwhile, and told to come back. */
export const REFUSING: OutagePlan = {
  env: {},
  providers: ['steady', 'other'],
  userOf: (turn) => `user-${turn % 20}`,
  isServed: () => false,
  prepare: async () => undefined,
  beforehand: async () => undefined,
  afterwards: async () => [],
};

/** Every act on the store has this deadline, and nobody waits longer for a refusal than it and the margin. */
const STORE_TIMEOUT_MS = 250;
const MARGIN_MS = 50;
/** When the machine itself takes as long, nothing can be said of ours. */
const NOISE_MS_MAX = 250;
const RECOVERY_MS_MAX = 2_000;
/** From when on so many in a row are answered, the service is back. */
const ANSWERS_IN_A_ROW = 10;
const UPSTREAM_MS = 20;
const OUTPUT_TOKENS = 50;
const SNAPSHOT_EVERY_MS = 50;
const WARM_UP_CHATS = 30;
const LOAD_MS_MAX = 10 * 60_000;

/** Chats at a steady rate before, during and after an outage; what was lost, what waited, and how soon all was well again. */
export async function runOutage(
  context: Context,
  size: OutageOrder,
  outage: Outage,
  plan: OutagePlan,
): Promise<Finding> {
  const clocks: DatabaseClock[] = [];
  await using scene = await openScene(context, {
    replicas: size.replicas,
    providers: plan.providers.map((key) => makeProvider(key)),
    postgres: size.postgres,
    isProxied: true,
    env: { STORE_TIMEOUT_MS: String(STORE_TIMEOUT_MS), ...plan.env },
    async prepare(database) {
      clocks.push(await database.makeClock());
      await plan.prepare(database);
    },
  });
  scene.upstream.reactWith(() => ({ kind: 'answer', delayMs: UPSTREAM_MS }));
  await warmUp(scene, plan);
  await plan.beforehand(scene);
  await using noise = listenAtDoors(scene);
  await using sampler = sampleBooks({
    sql: () => scene.database.sql,
    defaultCap: DEFAULT_CAP,
    everyMs: SNAPSHOT_EVERY_MS,
  });
  const send = (sequence: number) => chatOf(scene, plan, `o-${sequence}`, sequence);
  const { perSecond } = size;
  await using load = inBackground((isOver) => openLoad({ perSecond, forMs: LOAD_MS_MAX, isOver, send }));
  await sleep(size.beforeMs);
  const well = scene.log.exchanges.filter(({ sentAtMs }) => sentAtMs >= performance.now() - size.beforeMs);
  if (well.length === 0 || well.some(({ reply }) => reply.kind !== 'answered')) {
    throw new TooCrowded('before the outage not every chat was answered');
  }
  context.progress(`PostgreSQL is out of reach for ${size.outageMs} ms`);
  const fromMs = performance.now();
  await outage(scene, size.outageMs);
  const toMs = performance.now();
  context.progress('PostgreSQL is back');
  await sleep(size.afterMs);
  await load.end();
  const [clock] = clocks;
  if (clock === undefined) throw new RangeError('no clock');
  const shortfalls = await plan.afterwards(scene);
  const { books, held, holds } = await settleDown(scene, clock);
  return judge(plan, {
    exchanges: scene.log.exchanges,
    fromMs,
    toMs,
    noiseMs: noise.worstMs({ fromMs, toMs }),
    sampler,
    books,
    others: [...shortfalls, ...(held === 0n && holds === 0 ? [] : [`${holds} holds are left`])],
  });
}

interface Seen {
  readonly exchanges: readonly Exchange[];
  /** The outage, by the arena's monotonic clock. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly noiseMs: number;
  readonly sampler: Pick<Sampler, 'samples' | 'faults'>;
  readonly books: Reconciled;
  /** What else fell short, in sentences. */
  readonly others: readonly string[];
}

function judge(plan: OutagePlan, seen: Seen): Finding {
  const { fromMs, toMs, noiseMs, sampler, books } = seen;
  const during = seen.exchanges.filter(({ sentAtMs }) => sentAtMs >= fromMs && sentAtMs < toMs);
  const waits = measureWaits(during);
  const recoveryMs = recoveryOf(seen.exchanges, toMs);
  const allowedMs = STORE_TIMEOUT_MS + MARGIN_MS + noiseMs;
  const served = during.filter(({ wish }) => plan.isServed(wish.userId ?? ''));
  const unserved = served.filter(({ reply }) => reply.kind !== 'answered');
  const [first] = unserved;
  const faults = makeFaults();
  faults.list.push(...books.faults, ...sampler.faults, ...seen.others);
  faults.expect(
    first === undefined,
    `${unserved.length} chats failed that were to be answered meanwhile: ${first === undefined ? '' : describeReply(first.reply)}`,
  );
  faults.expect(during.length > 0 && waits.refused > 0, 'nobody was refused, so nothing was shown');
  faults.expect(waits.broken === 0, `${waits.broken} chats broke off`);
  faults.expect(waits.final === 0, `${waits.final} chats were refused for good`);
  // What was lost is lost on any machine; how long something took is told only of one that had time for us.
  if (faults.list.length === 0 && noiseMs > NOISE_MS_MAX) {
    throw new TooCrowded(`the machine alone took ${noiseMs.toFixed(0)} ms`);
  }
  faults.expect(
    waits.worstMs <= allowedMs,
    `somebody waited ${waits.worstMs.toFixed(0)} ms, ${allowedMs.toFixed(0)} ms are allowed`,
  );
  faults.expect(recoveryMs <= RECOVERY_MS_MAX, `it took ${recoveryMs.toFixed(0)} ms to be back`);
  const told = served.length === 0 ? '' : `, ${unserved.length} of ${served.length} failed that were to be`;
  return {
    figure: `${books.rowsLost} of ${books.answered} rows lost, ${sampler.faults.length} over-spends in ${sampler.samples} snapshots; refused after ${waits.p50Ms.toFixed(0)} ms (p50), ${waits.worstMs.toFixed(0)} ms (worst, of which the machine ${noiseMs.toFixed(0)}); ${waits.answered} of ${during.length} answered meanwhile${told}; back after ${recoveryMs.toFixed(0)} ms`,
    figures: {
      answered: books.answered,
      rowsLost: books.rowsLost,
      settlesLost: books.settlesLost,
      overspends: sampler.faults.length,
      snapshots: sampler.samples,
      refusedP50Ms: waits.p50Ms,
      waitWorstMs: waits.worstMs,
      doorNoiseMs: noiseMs,
      duringOutage: during.length,
      toBeAnswered: served.length,
      notAnswered: unserved.length,
      answeredMeanwhile: waits.answered,
      recoveryMs,
    },
    faults: faults.list,
  };
}

/** The first chats of a process take longest, and are not what is measured. */
async function warmUp(scene: Scene, plan: OutagePlan): Promise<void> {
  const { length } = scene.replicas;
  const send = (sequence: number) => chatOf(scene, plan, `w-${sequence}`, sequence);
  await closedLoad({ callers: 2 * length, countMax: WARM_UP_CHATS * length, send });
}

/** Every user at every replica: the replicas take turns with each. */
function chatOf(scene: Scene, plan: OutagePlan, tag: string, sequence: number): Promise<Exchange> {
  const userId = plan.userOf(Math.floor(sequence / scene.replicas.length));
  return scene.chat(replicaAt(scene, sequence).url, { tag, userId, maxOutputTokens: OUTPUT_TOKENS });
}

/** What those found who came during the outage. An answer is not waited for by the store's deadline, but by the provider's. */
function measureWaits(during: readonly Exchange[]) {
  const refusals = during.filter(({ reply }) => reply.kind === 'refused');
  const times = refusals.map(({ ms }) => ms);
  return {
    refused: refusals.length,
    answered: during.filter(({ reply }) => reply.kind === 'answered').length,
    broken: during.filter(({ reply }) => reply.kind === 'broken').length,
    final: refusals.filter(({ reply }) => reply.kind === 'refused' && !reply.isRetryable).length,
    p50Ms: quantile(times, 0.5),
    worstMs: Math.max(0, ...times),
  };
}

/** From the end of the outage to the first of so many chats in a row that were answered. */
function recoveryOf(exchanges: readonly Exchange[], toMs: number): number {
  const after = exchanges
    .filter(({ sentAtMs }) => sentAtMs >= toMs)
    .toSorted((one, other) => one.sentAtMs - other.sentAtMs);
  const first = after.findIndex((_exchange, place) => {
    const row = after.slice(place, place + ANSWERS_IN_A_ROW);
    return row.length === ANSWERS_IN_A_ROW && row.every(({ reply }) => reply.kind === 'answered');
  });
  const begun = after[first];
  return begun === undefined ? Number.POSITIVE_INFINITY : begun.sentAtMs - toMs;
}
