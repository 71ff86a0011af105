import { setTimeout as sleep } from 'node:timers/promises';
import { formatUsd, picoUsd } from '../../src/core/money.ts';
import { doublePostings } from '../support/books.ts';
import type { Chance } from '../support/chance.ts';
import type { DatabaseClock } from '../support/database-clock.ts';
import { type Context, defineExperiment, makeFaults } from '../support/experiment.ts';
import { closedLoad, inBackground } from '../support/load.ts';
import { shortAccounts } from '../support/reconcile.ts';
import { makeProvider } from '../support/registry.ts';
import type { Replica } from '../support/replica.ts';
import { openScene, type Scene } from '../support/scene.ts';
import { settleDown } from '../support/settle-down.ts';
import type { Reaction } from '../support/upstream/reaction.ts';

const OUTPUT_TOKENS = 50;
const UPSTREAM_MS = { min: 1, max: 60 } as const;
const KILL_AFTER_MS = { min: 0, max: 400 } as const;
const RECEIVED_MS_MAX = 20_000;
const CHATS_MAX = 400_000;
/** Callers who find nobody at home look again. */
const NOBODY_MS = 20;
const THINK_MS = { min: 0, max: 40 } as const;
const HOT_USERS = 4;

/** Where in a chat's life the kill falls. */
const POINTS = ['anywhere', 'onReceipt', 'onAnswer'] as const;

/** A replica dies at a random point of its work, again and again, and comes back on its own folder. */
export const kill = defineExperiment({
  number: 3,
  title: 'kill -9 of replicas at random points',
  mustYield: 'bill <= ledger after every kill; the difference is unconfirmed holds; held = 0 at the end',
  isLong: true,
  sizes: { quick: { kills: 4, replicas: 2, callers: 8 }, full: { kills: 200, replicas: 3, callers: 24 } },
  async run(context, size) {
    const clocks: DatabaseClock[] = [];
    await using scene = await openScene(context, {
      replicas: size.replicas,
      providers: [
        makeProvider('first'),
        makeProvider('second', { kind: 'anthropic' }),
        makeProvider('third', { kind: 'gemini' }),
      ],
      prepare: async (database) => void clocks.push(await database.makeClock()),
    });
    const faults = makeFaults();
    const chance = context.chance.fork('load');
    await using load = inBackground((isOver) => runLoad(scene, { callers: size.callers, chance, isOver }));
    for (let count = 1; count <= size.kills; count += 1) {
      if (count % 10 === 1) context.progress(`kill ${count} of ${size.kills}`);
      await killOne(scene, context, count);
      const short = await shortAccounts(scene.witnesses());
      faults.expect(short.length === 0, `after kill ${count} more was billed than booked: ${short[0]}`);
      const doubles = await doublePostings(scene.database.sql);
      faults.expect(doubles.length === 0, `after kill ${count} a hold was posted other than once: ${doubles[0]}`);
    }
    await load.end();
    await Promise.all(scene.replicas.map((replica) => replica.whenReady()));
    const [clock] = clocks;
    if (clock === undefined) throw new RangeError('no clock');
    context.progress('settling down');
    const { books, held, holds } = await settleDown(scene, clock);
    const inMidAnswer = scene.log.exchanges.filter(({ reply }) => reply.kind === 'broken').length;
    faults.list.push(...books.faults);
    faults.expect(held === 0n && holds === 0, `${holds} holds are left at the end`);
    faults.expect(inMidAnswer > 0, 'no kill broke a chat, so nothing was shown');
    return {
      figure: `${size.kills} kills broke ${inMidAnswer} of ${scene.log.exchanges.length} chats; billed ${usd(books.billed)} <= booked ${usd(books.booked)}, of it unconfirmed ${usd(books.unconfirmed)} USD; held ${held}; ${books.rowsLost} of ${books.answered} answered rows lost`,
      figures: {
        kills: size.kills,
        chats: scene.log.exchanges.length,
        brokenByKills: inMidAnswer,
        rowsLost: books.rowsLost,
        settlesLost: books.settlesLost,
        accountsShort: books.accountsShort,
        billedPico: Number(books.billed),
        bookedPico: Number(books.booked),
        holdsLeft: holds,
      },
      faults: faults.list,
    };
  },
});

function usd(amount: bigint): string {
  return formatUsd(picoUsd(amount));
}

/** Half of the chats have an account of their own, so that each can be compared with its bill; the others share a few. */
function runLoad(
  scene: Scene,
  of: { readonly callers: number; readonly chance: Chance; readonly isOver: () => boolean },
): Promise<void> {
  return closedLoad({
    callers: of.callers,
    countMax: CHATS_MAX,
    isOver: of.isOver,
    async send(sequence) {
      const running = scene.replicas.filter(({ isRunning }) => isRunning);
      if (running.length === 0) {
        await sleep(NOBODY_MS);
        return null;
      }
      const userId = of.chance.next() < 0.5 ? `solo-${sequence}` : `hot-${sequence % HOT_USERS}`;
      const exchange = await scene.chat(of.chance.pick(running).url, {
        tag: `3-${sequence}`,
        userId,
        maxOutputTokens: OUTPUT_TOKENS,
      });
      await sleep(exchange.reply.kind === 'answered' ? of.chance.int(THINK_MS) : NOBODY_MS);
      return exchange;
    },
  });
}

/** Kills one replica that is running, and starts it again. */
async function killOne(scene: Scene, context: Context, count: number): Promise<void> {
  const { chance } = context;
  const victim = scene.replicas[count % scene.replicas.length];
  if (victim === undefined) throw new RangeError('no replica');
  const point = chance.pick(POINTS);
  await sleep(chance.int(KILL_AFTER_MS));
  if (point !== 'anywhere') await untilPoint(scene, { point, victim, chance });
  await victim.kill();
  scene.upstream.reactWith(() => usualReaction(chance));
  await victim.start();
}

/** Has the upstream itself strike, at the moment at which it has received a request or has answered one. */
async function untilPoint(
  scene: Scene,
  of: { readonly point: 'onReceipt' | 'onAnswer'; readonly victim: Replica; readonly chance: Chance },
): Promise<void> {
  const { upstream } = scene;
  const struck = Promise.withResolvers<void>();
  let isArmed = true;
  const strike = () => {
    if (!isArmed) return;
    isArmed = false;
    of.victim.strike();
    struck.resolve();
  };
  const timer = setTimeout(() => struck.reject(new Error('no request came to strike at')), RECEIVED_MS_MAX);
  upstream.reactWith(() => {
    const reaction = usualReaction(of.chance);
    if (of.point === 'onReceipt') strike();
    else setTimeout(strike, reaction.delayMs ?? 0);
    return reaction;
  });
  try {
    await struck.promise;
  } finally {
    clearTimeout(timer);
  }
}

function usualReaction(chance: Chance): Reaction {
  return { kind: 'answer', delayMs: chance.int(UPSTREAM_MS) };
}
