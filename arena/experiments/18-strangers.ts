import { setTimeout as sleep } from 'node:timers/promises';
import type { Chance } from '../support/chance.ts';
import { defineExperiment, makeFaults } from '../support/experiment.ts';
import { closedLoad, inBackground } from '../support/load.ts';
import { makeProvider } from '../support/registry.ts';
import { openScene, replicaAt, type Scene } from '../support/scene.ts';
import { until } from '../support/settle-down.ts';
import { openSubscriber } from '../support/subscriber.ts';

const OUTPUT_TOKENS = 50;
const UPSTREAM_MS = { min: 5, max: 50 } as const;
const CHATS_MAX = 400_000;
const BETWEEN_CHATS_MS = 50;
const BUDGETS_EVERY_MS = 50;
/** More than anybody spends. */
const LIMIT_USD = 100;
/** Whoever has ears has heard something of its own by then. */
const HEAR_MS_MAX = 20_000;
/** How long a visitor who does not wait to hear anything stays, and how long one does not read. */
const MOMENT_MS = { min: 0, max: 300 } as const;

const REQUESTS =
  'subscription ($userId: String!) { requestEvents(filter: { userId: $userId }) { request { userId } } }';
const BUDGET = 'subscription ($userId: String!) { budgetEvents(userId: $userId) { budget { userId } } }';

/** What a visitor does when it has subscribed. Who stays hears its own first and later; who stalls hears it before, and again if it reads again. */
const WAYS = ['stay', 'goAtOnce', 'vanish', 'stall', 'stallAndVanish'] as const;

/** Tenants who come, stop reading, read again and leave at random, while all of them chat: nobody is told anything of another. */
export const strangers = defineExperiment({
  number: 18,
  title: 'tenants who subscribe, stall and leave at random',
  mustYield: '0 foreign events; everyone who reads hears their own',
  sizes: {
    quick: { replicas: 2, tenants: 10, visits: 120, atOnce: 20 },
    full: { replicas: 2, tenants: 10, visits: 1_000, atOnce: 40 },
  },
  async run(context, size) {
    await using scene = await openScene(context, { replicas: size.replicas, providers: [makeProvider('one')] });
    const { chance } = context;
    scene.upstream.reactWith(() => ({ kind: 'answer', delayMs: chance.int(UPSTREAM_MS) }));
    const tenants = Array.from({ length: size.tenants }, (_none, place) => `tenant-${place}`);
    await using chats = inBackground((isOver) => chatAll(scene, tenants, isOver));
    await using changes = inBackground((isOver) => changeBudgets(scene, tenants, isOver));
    const visits: Visit[] = [];
    const visitors = Array.from({ length: size.atOnce }, async (_none, visitor) => {
      const own = chance.fork(`visitor ${visitor}`);
      for (let at = visitor; at < size.visits; at += size.atOnce) {
        if (at % 100 === 0) context.progress(`${at} of ${size.visits} visits`);
        const order = {
          url: replicaAt(scene, own.int({ min: 0, max: size.replicas - 1 })).url,
          tenant: own.pick(tenants),
        };
        visits.push(await visit({ ...order, way: own.pick(WAYS), chance: own }));
      }
    });
    await Promise.all(visitors);
    await Promise.all([chats.end(), changes.end()]);
    return judge(scene, visits);
  },
});

function judge({ log }: Scene, visits: readonly Visit[]) {
  const sum = (of: (one: Visit) => number) => visits.reduce((total, one) => total + of(one), 0);
  const [own, foreign] = [sum((one) => one.own), sum((one) => one.foreign)];
  const amiss = visits.filter(({ fault }) => fault !== null);
  const unseen = WAYS.filter((way) => !visits.some((one) => one.way === way));
  const broken = log.exchanges.filter(({ reply }) => reply.kind !== 'answered').length;
  const faults = makeFaults();
  faults.expect(foreign === 0, `${foreign} events were told to others than their tenant`);
  faults.expect(amiss.length === 0, `${amiss.length} visits went amiss, one to ${amiss[0]?.way}: ${amiss[0]?.fault}`);
  faults.expect(unseen.length === 0, `nobody came to ${unseen.join(' or ')}, so that was not shown`);
  faults.expect(broken === 0, `${broken} chats were not answered`);
  const chats = log.exchanges.length;
  return {
    figure: `${foreign} foreign and ${own} own events in ${visits.length} visits during ${chats} chats; ${amiss.length} who read heard nothing of their own`,
    figures: { visits: visits.length, own, foreign, amiss: amiss.length, chats },
    faults: faults.list,
  };
}

interface Visit {
  readonly way: (typeof WAYS)[number];
  /** Events of its own, and of others. */
  readonly own: number;
  readonly foreign: number;
  /** What it should have heard, and did not; or why it could not stay. Null: all is well. */
  readonly fault: string | null;
}

/** One connection that watches one tenant's requests and budget. */
async function visit(of: {
  readonly url: string;
  readonly tenant: string;
  readonly way: Visit['way'];
  readonly chance: Chance;
}): Promise<Visit> {
  const { url, tenant, way, chance } = of;
  const heard = { requests: 0, budgets: 0, foreign: 0 };
  const note = (about: 'requests' | 'budgets', userId: string) => {
    heard[userId === tenant ? about : 'foreign'] += 1;
  };
  const variables = { userId: tenant };
  using subscriber = await openSubscriber(url, [
    { query: REQUESTS, variables, next: ({ requestEvents }) => note('requests', requestEvents.request.userId) },
    { query: BUDGET, variables, next: ({ budgetEvents }) => note('budgets', budgetEvents.budget.userId) },
  ]);
  let fault: string | null = null;
  const hear = async (when: string) => {
    const before = { ...heard };
    const hasHeard = () => heard.requests > before.requests && heard.budgets > before.budgets;
    const isWell = await until(HEAR_MS_MAX, async () => hasHeard() || subscriber.broken !== null);
    if (!isWell)
      fault ??= `${when} it heard of ${heard.requests - before.requests} requests and ${heard.budgets - before.budgets} changes of the budget`;
    fault ??= subscriber.broken;
  };
  const aMoment = () => sleep(chance.int(MOMENT_MS));
  const stall = async () => {
    await hear('at first');
    subscriber.stall();
    await aMoment();
  };
  switch (way) {
    case 'stay':
      await hear('at first');
      await hear('later');
      await subscriber.leave();
      break;
    case 'goAtOnce':
      await subscriber.leave();
      break;
    case 'vanish':
      await aMoment();
      break;
    case 'stall':
      await stall();
      subscriber.resume();
      await hear('when it read again');
      await subscriber.leave();
      break;
    case 'stallAndVanish':
      await stall();
      break;
    default:
      way satisfies never;
  }
  return { way, own: heard.requests + heard.budgets, foreign: heard.foreign, fault };
}

/** Each tenant has one chat after the other, at every replica in turn. */
async function chatAll(scene: Scene, tenants: readonly string[], isOver: () => boolean): Promise<void> {
  const send = async (sequence: number) => {
    const userId = tenants[sequence % tenants.length] ?? null;
    const turn = Math.floor(sequence / tenants.length);
    const exchange = await scene.chat(replicaAt(scene, turn).url, {
      tag: `18-${sequence}`,
      userId,
      maxOutputTokens: OUTPUT_TOKENS,
    });
    await sleep(BETWEEN_CHATS_MS);
    return exchange;
  };
  await closedLoad({ callers: tenants.length, countMax: CHATS_MAX, isOver, send });
}

const SET = 'mutation ($input: SetBudgetInput!) { setBudget(input: $input) { __typename } }';

/** An operator gives every tenant in turn another limit: chats alone reach few thresholds. */
async function changeBudgets(scene: Scene, tenants: readonly string[], isOver: () => boolean): Promise<void> {
  for (let sequence = 0; !isOver(); sequence += 1) {
    const userId = tenants[sequence % tenants.length];
    const limitUsd = String(LIMIT_USD + Math.floor(sequence / tenants.length));
    await scene.client.ask(replicaAt(scene, sequence).url, SET, { input: { userId, limitUsd } });
    await sleep(BUDGETS_EVERY_MS);
  }
}
