import { describeReply, type Exchange } from '../support/client.ts';
import type { DatabaseClock } from '../support/database-clock.ts';
import { type Context, defineExperiment, makeFaults } from '../support/experiment.ts';
import { makeProvider } from '../support/registry.ts';
import { openScene, replicaAt, type Scene } from '../support/scene.ts';
import { broughtHome } from '../support/settle-down.ts';

const PROVIDERS = { limited: 'limited', throttled: 'throttled', broken: 'broken' } as const;
type Kind = keyof typeof PROVIDERS;

const LIMIT = 3;
const TOO_EARLY_MS = 50;
const OUTPUT_TOKENS = 10;

/** The database's clock stands still while it is asked, so what is told can be taken at its word. */
export const retryAfter = defineExperiment({
  number: 14,
  title: 'Retry-After is told exactly',
  mustYield: 'retry then: admitted; 50 ms before: refused',
  sizes: { quick: { replicas: 2, rounds: 5 }, full: { replicas: 2, rounds: 50 } },
  async run(context, size) {
    await using stage = await openStage(context, size.replicas);
    const faults = makeFaults();
    let told = 0;
    let exact = 0;
    for (let round = 1; round <= size.rounds; round += 1) {
      context.progress(`round ${round} of ${size.rounds}`);
      for (const kind of ['limited', 'throttled', 'broken'] as const) {
        const tried = await tryOne(stage, { kind, round });
        told += 1;
        if (tried.faults.length === 0) exact += 1;
        faults.list.push(...tried.faults);
      }
    }
    return {
      figure: `${exact} of ${told} times exact, at a rolling limit, a provider's own 429 and an open breaker`,
      figures: { told, exact },
      faults: faults.list,
    };
  },
});

interface Stage extends AsyncDisposable {
  readonly scene: Scene;
  readonly clock: DatabaseClock;
  readonly context: Context;
}

async function openStage(context: Context, replicas: number): Promise<Stage> {
  const clocks: DatabaseClock[] = [];
  const scene = await openScene(context, {
    replicas,
    providers: [
      makeProvider(PROVIDERS.limited, { requestsPerMinute: LIMIT }),
      makeProvider(PROVIDERS.throttled),
      makeProvider(PROVIDERS.broken),
    ],
    prepare: async (database) => void clocks.push(await database.makeClock()),
  });
  const [clock] = clocks;
  if (clock === undefined) throw new RangeError('no clock');
  return { scene, clock, context, [Symbol.asyncDispose]: () => scene[Symbol.asyncDispose]() };
}

/** Brings one provider to say "later", and asks again 50 ms too early and exactly then. */
async function tryOne(
  stage: Stage,
  of: { readonly kind: Kind; readonly round: number },
): Promise<{ readonly faults: readonly string[] }> {
  const { scene, clock } = stage;
  const { kind, round } = of;
  await clock.freezeAt((await clock.nowMs()) + stage.context.chance.int({ min: 1, max: 5_000 }));
  let asked = 0;
  const ask = async (): Promise<Exchange> => {
    asked += 1;
    await broughtHome(scene);
    const wish = {
      tag: `14-${kind}-${round}-${asked}`,
      userId: null,
      maxOutputTokens: OUTPUT_TOKENS,
      only: [PROVIDERS[kind]],
    };
    return scene.chat(replicaAt(scene, asked).url, wish);
  };
  await bringAbout(stage, kind, ask);
  const refused = await ask();
  const waitMs = refused.reply.kind === 'refused' ? refused.reply.retryAfterMs : null;
  if (waitMs === null)
    return { faults: [`${kind}, round ${round}: not told when, but ${describeReply(refused.reply)}`] };
  const saidAtMs = await clock.nowMs();
  scene.upstream.reactWith(() => ({ kind: 'answer' }));
  await clock.freezeAt(saidAtMs + waitMs - TOO_EARLY_MS);
  const early = await ask();
  await clock.freezeAt(saidAtMs + waitMs);
  const then = await ask();
  return {
    faults: [
      ...(early.reply.kind === 'refused'
        ? []
        : [`${kind}, round ${round}: 50 ms too early it was ${describeReply(early.reply)}`]),
      ...(then.reply.kind === 'answered'
        ? []
        : [`${kind}, round ${round}: after ${waitMs} ms, as told, it was ${describeReply(then.reply)}`]),
    ],
  };
}

async function bringAbout(stage: Stage, kind: Kind, ask: () => Promise<Exchange>): Promise<void> {
  const { upstream } = stage.scene;
  switch (kind) {
    case 'limited':
      upstream.reactWith(() => ({ kind: 'answer' }));
      // Slots taken at different instants: what counts is the first to be free.
      for (let taken = 1; taken <= LIMIT; taken += 1) {
        await ask();
        await stage.clock.freezeAt((await stage.clock.nowMs()) + stage.context.chance.int({ min: 1, max: 4_000 }));
      }
      return;
    case 'throttled': {
      const seconds = stage.context.chance.int({ min: 1, max: 90 });
      upstream.reactWith(() => ({ kind: 'refuse', status: 429, headers: { 'retry-after': String(seconds) } }));
      await ask();
      return;
    }
    case 'broken':
      upstream.reactWith(() => ({ kind: 'refuse', status: 503 }));
      for (let failure = 1; failure <= 3; failure += 1) await ask();
      return;
    default:
      kind satisfies never;
  }
}
