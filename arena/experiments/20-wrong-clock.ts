import { LEASE } from '../../src/core/leases.ts';
import type { Exchange, Wish } from '../support/client.ts';
import { defineExperiment, makeFaults } from '../support/experiment.ts';
import { makeProvider } from '../support/registry.ts';
import type { Replica } from '../support/replica.ts';
import { DEFAULT_CAP, openScene, type Scene } from '../support/scene.ts';
import { broughtHome, reconcileAtRest } from '../support/settle-down.ts';

const OFF_MS = 600_000;
const PRELOAD = new URL('../preload/clock-off.ts', import.meta.url).href;
/** Two questions, one after the other, are answered by the same clock, but not at the same moment. */
const APART_MS_MAX = 3_000;
const LIMIT = 4;
const OUTPUT_PRICE = 100_000_000n;
/** A tenth of the dollar. */
const OUTPUT_TOKENS = 1_000;
const CALLERS = 24;
const FAILURES_TO_OPEN = 3;
const THROTTLE_S = 30;
const BREAKER_MS = { min: 60_000, max: 66_000 } as const;
const TIMEOUT_MS = 20_000;

/** One machine is ten minutes ahead, another as much behind, one is right. */
export const wrongClock = defineExperiment({
  number: 20,
  title: 'replicas whose clocks are 10 minutes off',
  mustYield: 'money, slots and breaker unchanged',
  sizes: { quick: { replicas: 2 }, full: { replicas: 3 } },
  async run(context, size) {
    const offs = [OFF_MS, 0, -OFF_MS];
    await using scene = await openScene(context, {
      replicas: size.replicas,
      providers: [
        makeProvider('money', { inputPicoPerToken: 0n, outputPicoPerToken: OUTPUT_PRICE }),
        makeProvider('slots', { requestsPerMinute: LIMIT }),
        makeProvider('breaker'),
        makeProvider('throttle'),
      ],
      nodeArguments: (place) => (offs[place] === 0 ? [] : ['--import', `${PRELOAD}?ms=${offs[place]}`]),
    });
    const fromMs = await databaseNowMs(scene);
    const found = [
      await checkMoney(scene),
      await checkSlots(scene),
      await checkBreaker(scene),
      await checkThrottle(scene),
      await checkInstants(scene, fromMs),
    ];
    const books = await reconcileAtRest(scene);
    const apartMs = Math.max(...found.map((one) => one.apartMs));
    return {
      figure: `${found.filter(({ faults }) => faults.length === 0).length} of ${found.length} unchanged: ${found.map(({ what }) => what).join(', ')}; replicas never more than ${apartMs.toFixed(0)} ms apart`,
      figures: { checks: found.length, apartMs },
      faults: [...found.flatMap(({ faults }) => faults), ...books.faults],
    };
  },
});

interface Check {
  readonly what: string;
  readonly faults: readonly string[];
  /** How far two replicas were apart in what they said, or from the database. */
  readonly apartMs: number;
}

function ask(scene: Scene, replica: Replica, of: Pick<Wish, 'tag' | 'userId' | 'only'>): Promise<Exchange> {
  return scene.chat(replica.url, {
    maxOutputTokens: OUTPUT_TOKENS,
    timeoutMs: TIMEOUT_MS,
    ...of,
    tag: `20-${of.tag}`,
  });
}

/** As many as fit into the dollar are admitted, whichever clock admits them. */
async function checkMoney(scene: Scene): Promise<Check> {
  scene.upstream.reactWith(({ outputTokensMax }) => ({
    kind: 'answer',
    usage: { inputTokens: 1, outputTokens: outputTokensMax },
    delayMs: 200,
  }));
  const callers = Array.from({ length: CALLERS }, (_none, caller) => {
    const replica = scene.replicas[caller % scene.replicas.length];
    if (replica === undefined) throw new RangeError('no replica');
    return ask(scene, replica, { tag: `money-${caller}`, userId: 'rich', only: ['money'] });
  });
  await Promise.all(callers);
  await broughtHome(scene);
  const [row] = await scene.database.sql`
    select count(*)::int as holds from switchyard.hold where account = 'user:rich' and state <> 'voided'`;
  const fitting = Number(DEFAULT_CAP / (BigInt(OUTPUT_TOKENS) * OUTPUT_PRICE));
  const faults = makeFaults();
  faults.expect(row?.holds === fitting, `${row?.holds} chats were admitted where ${fitting} fit`);
  return { what: 'money', faults: faults.list, apartMs: 0 };
}

/** The replica with the wrong clock takes all slots; all replicas tell the same time to wait for. */
async function checkSlots(scene: Scene): Promise<Check> {
  scene.upstream.reactWith(() => ({ kind: 'answer' }));
  const [wrong] = scene.replicas;
  for (let taken = 1; taken <= LIMIT; taken += 1) {
    if (wrong !== undefined) await ask(scene, wrong, { tag: `slot-${taken}`, userId: null, only: ['slots'] });
  }
  return agreement(scene, { what: 'slots', only: 'slots', code: 'RATE_LIMITED', least: 50_000, most: 60_250 });
}

/** It is opened through the wrong clock, for as long as the rules say. */
async function checkBreaker(scene: Scene): Promise<Check> {
  scene.upstream.reactWith(() => ({ kind: 'refuse', status: 500 }));
  const [wrong] = scene.replicas;
  for (let failure = 1; failure <= FAILURES_TO_OPEN; failure += 1) {
    if (wrong !== undefined) await ask(scene, wrong, { tag: `fail-${failure}`, userId: null, only: ['breaker'] });
  }
  const most = BREAKER_MS.max;
  const least = BREAKER_MS.min - APART_MS_MAX;
  return agreement(scene, { what: 'breaker', only: 'breaker', code: 'NO_PROVIDER_AVAILABLE', least, most });
}

/** A provider names a date, as HTTP allows: the span until then is what counts, not what our clock makes of it. */
async function checkThrottle(scene: Scene): Promise<Check> {
  scene.upstream.reactWith(() => ({
    kind: 'refuse',
    status: 429,
    headers: { 'retry-after': new Date(Date.now() + THROTTLE_S * 1_000).toUTCString() },
  }));
  const [wrong] = scene.replicas;
  if (wrong !== undefined) await ask(scene, wrong, { tag: 'throttle', userId: null, only: ['throttle'] });
  const most = THROTTLE_S * 1_000;
  const least = most - APART_MS_MAX;
  return agreement(scene, { what: 'a throttle by date', only: 'throttle', code: 'RATE_LIMITED', least, most });
}

async function agreement(
  scene: Scene,
  of: {
    readonly what: string;
    readonly only: string;
    readonly code: string;
    readonly least: number;
    readonly most: number;
  },
): Promise<Check> {
  await broughtHome(scene);
  const faults = makeFaults();
  const told: number[] = [];
  for (const [place, replica] of scene.replicas.entries()) {
    const { reply } = await ask(scene, replica, { tag: `${of.only}-ask-${place}`, userId: null, only: [of.only] });
    const isRefused = reply.kind === 'refused' && reply.code === of.code;
    const waitMs = reply.kind === 'refused' ? reply.retryAfterMs : null;
    faults.expect(isRefused, `${of.what}: ${replica.name} did not refuse with ${of.code}`);
    if (waitMs === null) continue;
    told.push(waitMs);
    faults.expect(waitMs >= of.least && waitMs <= of.most, `${of.what}: ${replica.name} says ${waitMs} ms`);
  }
  const apartMs = told.length === 0 ? 0 : Math.max(...told) - Math.min(...told);
  faults.expect(told.length === scene.replicas.length, `${of.what}: not everybody was told when`);
  faults.expect(apartMs <= APART_MS_MAX, `${of.what}: replicas are ${apartMs} ms apart`);
  return { what: of.what, faults: faults.list, apartMs };
}

async function databaseNowMs(scene: Scene): Promise<number> {
  const [row] = await scene.database.sql`select switchyard.ms(switchyard.clock()) as now`;
  return Number(row?.now);
}

/** Every instant on record lies within the experiment, by the database's clock, and every hold lives as long as it should. */
async function checkInstants(scene: Scene, fromMs: number): Promise<Check> {
  const toMs = await databaseNowMs(scene);
  const rows = await scene.database.sql`
    select what, count(*)::int as count, extract(epoch from min(at))::float8 * 1000 as first, extract(epoch from max(at))::float8 * 1000 as last
    from (
      select 'hold' as what, started_at as at from switchyard.hold union all
      select 'ledger entry', at from switchyard.ledger_entry union all
      select 'request', created_at from switchyard.request union all
      select 'record', recorded_at from switchyard.request union all
      select 'breaker event', occurred_at from switchyard.breaker_event
    ) instants group by what`;
  const [lives] = await scene.database.sql`
    select extract(epoch from min(expires_at - started_at))::float8 * 1000 as least,
      extract(epoch from max(expires_at - started_at))::float8 * 1000 as most from switchyard.hold`;
  const faults = makeFaults();
  for (const { what, first, last } of rows) {
    const isWithin = first >= fromMs - 1 && last <= toMs + 1;
    faults.expect(
      isWithin,
      `a ${what} is dated ${Math.round(Math.max(fromMs - first, last - toMs))} ms outside of the experiment`,
    );
  }
  faults.expect(lives?.least >= LEASE.holdGraceMs, `a hold lives only ${lives?.least} ms`);
  faults.expect(lives?.most <= LEASE.holdGraceMs + TIMEOUT_MS, `a hold lives ${lives?.most} ms`);
  return { what: 'instants on record', faults: faults.list, apartMs: 0 };
}
