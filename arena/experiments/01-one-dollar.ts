import { setTimeout as sleep } from 'node:timers/promises';
import { sampleBooks } from '../support/books.ts';
import type { Chance } from '../support/chance.ts';
import { defineExperiment, makeFaults } from '../support/experiment.ts';
import { closedLoad } from '../support/load.ts';
import { makeProvider } from '../support/registry.ts';
import { DEFAULT_CAP, openScene, replicaAt, type Scene } from '../support/scene.ts';
import { reconcileAtRest } from '../support/settle-down.ts';

const OUTPUT_PRICE = 15_000_000n;
const SNAPSHOT_EVERY_MS = 10;
const SNAPSHOTS_MIN = 10;
/** A caller who is told to come back does, sooner than told, but not for ever. */
const RETRY_MS = 100;
/** A round ends at the latest when no upstream has been called for so long, as when a hold's answer was lost on its way. */
const QUIET_MS = 5_000;
const CHATS_PER_ROUND_MAX = 20_000;

/** Every answer costs exactly what was held for it, so that what fits into the dollar can be counted beforehand. */
export const oneDollar = defineExperiment({
  number: 1,
  title: '64 callers at each of 4 replicas on one dollar',
  mustYield: 'over-spend 0 in every snapshot; admitted = floor(cap / hold)',
  sizes: {
    quick: { replicas: 2, callersPerReplica: 64, rounds: 2 },
    full: { replicas: 4, callersPerReplica: 64, rounds: 30 },
  },
  async run(context, size) {
    const providers = [makeProvider('dollar', { inputPicoPerToken: 0n, outputPicoPerToken: OUTPUT_PRICE })];
    await using scene = await openScene(context, { replicas: size.replicas, providers });
    scene.upstream.reactWith(({ outputTokensMax }) => ({
      kind: 'answer',
      usage: { inputTokens: 1, outputTokens: outputTokensMax },
      delayMs: context.chance.int({ min: 0, max: 60 }),
    }));
    const faults = makeFaults();
    let admitted = 0;
    await using sampler = sampleBooks({
      sql: () => scene.database.sql,
      defaultCap: DEFAULT_CAP,
      everyMs: SNAPSHOT_EVERY_MS,
    });
    for (let round = 1; round <= size.rounds; round += 1) {
      context.progress(`round ${round} of ${size.rounds}`);
      const spent = await spendDollar(scene, context.chance, { ...size, round });
      const fault = `round ${round}: ${spent.admitted} were admitted where ${spent.fitting} fit`;
      faults.expect(spent.admitted === spent.fitting, fault);
      admitted += spent.admitted;
    }
    const { samples } = sampler;
    faults.expect(samples >= SNAPSHOTS_MIN, `only ${samples} snapshots were taken`);
    const books = await reconcileAtRest(scene);
    const overspends = sampler.faults.length;
    return {
      figure: `${overspends} over-spends in ${samples} snapshots; ${admitted} admitted in ${size.rounds} rounds, ${books.answered} answered`,
      figures: { overspends, snapshots: samples, admitted, answered: books.answered, rounds: size.rounds },
      faults: [...faults.list, ...sampler.faults, ...books.faults],
    };
  },
});

/** One user's dollar, spent by all callers at once until nobody gets anything any more. */
async function spendDollar(
  scene: Scene,
  chance: Chance,
  of: { readonly replicas: number; readonly callersPerReplica: number; readonly round: number },
): Promise<{ readonly admitted: number; readonly fitting: number }> {
  const maxOutputTokens = chance.int({ min: 200, max: 2_000 });
  const userId = `dollar-${of.round}`;
  const callers = of.replicas * of.callersPerReplica;
  let without = 0;
  let progressAtMs = performance.now();
  await closedLoad({
    callers,
    countMax: CHATS_PER_ROUND_MAX,
    isOver: () => without >= callers || performance.now() - progressAtMs > QUIET_MS,
    async send(sequence) {
      const wish = { tag: `1-${of.round}-${sequence}`, userId, maxOutputTokens };
      const exchange = await scene.chat(replicaAt(scene, sequence).url, wish);
      const { reply } = exchange;
      if (reply.kind === 'answered') progressAtMs = performance.now();
      else if (reply.kind === 'refused' && reply.isRetryable) await sleep(RETRY_MS);
      else without += 1;
      return exchange;
    },
  });
  // Holds that came to something: what was given back does not count, what nobody knows about does.
  const [row] = await scene.database.sql`
    select count(*)::int as holds from switchyard.hold where account = ${`user:${userId}`} and state <> 'voided'`;
  const fitting = Number(DEFAULT_CAP / (BigInt(maxOutputTokens) * OUTPUT_PRICE));
  return { admitted: Number(row?.holds), fitting };
}
