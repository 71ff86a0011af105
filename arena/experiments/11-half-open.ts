import type { Exchange } from '../support/client.ts';
import { describeReply } from '../support/client.ts';
import { defineExperiment, makeFaults } from '../support/experiment.ts';
import { makeProvider } from '../support/registry.ts';
import { openScene, replicaAt, type Scene } from '../support/scene.ts';
import { broughtHome } from '../support/settle-down.ts';

const PROVIDER = 'flaky';
const FAILURES_TO_OPEN = 3;
const RECEIVED_MS_MAX = 30_000;
const OUTPUT_TOKENS = 10;

/** Everybody comes the moment a breaker is due. The one probe is kept waiting until all others have been told no. */
export const halfOpen = defineExperiment({
  number: 11,
  title: 'half open: all callers of all replicas at once, round after round',
  mustYield: '1 winner each round',
  sizes: {
    quick: { replicas: 2, callersPerReplica: 16, rounds: 10 },
    full: { replicas: 8, callersPerReplica: 16, rounds: 60 },
  },
  async run(context, size) {
    await using scene = await openScene(context, { replicas: size.replicas, providers: [makeProvider(PROVIDER)] });
    const faults = makeFaults();
    await breakIt(scene);
    let winners = 0;
    let losers = 0;
    const callers = size.replicas * size.callersPerReplica;
    for (let round = 1; round <= size.rounds; round += 1) {
      if (round % 10 === 1) context.progress(`round ${round} of ${size.rounds}`);
      const { received, refused } = await oneRound(scene, { round, callers });
      faults.expect(received === 1, `round ${round}: ${received} probes reached the provider`);
      faults.expect(refused.length === callers - 1, `round ${round}: ${refused.length} of ${callers} were refused`);
      const odd = refused.find(({ reply }) => reply.kind !== 'refused' || !reply.isRetryable);
      faults.expect(
        odd === undefined,
        `round ${round}: one was told ${odd === undefined ? '' : describeReply(odd.reply)}`,
      );
      winners += received;
      losers += refused.length;
    }
    await broughtHome(scene);
    const claims = await claimsOf(scene);
    faults.expect(claims === size.rounds, `${claims} probes are on record for ${size.rounds} rounds`);
    return {
      figure: `${winners} winners in ${size.rounds} rounds of ${callers} callers, ${losers} told to wait`,
      figures: { rounds: size.rounds, callers, winners, losers, claims },
      faults: faults.list,
    };
  },
});

async function breakIt(scene: Scene): Promise<void> {
  scene.upstream.reactWith(() => ({ kind: 'refuse', status: 500 }));
  for (let failure = 1; failure <= FAILURES_TO_OPEN; failure += 1) {
    await scene.chat(replicaAt(scene, failure).url, {
      tag: `11-break-${failure}`,
      userId: null,
      maxOutputTokens: OUTPUT_TOKENS,
    });
  }
}

/** All callers at once on a breaker that has just become due; afterwards it is open again. */
async function oneRound(
  scene: Scene,
  of: { readonly round: number; readonly callers: number },
): Promise<{ readonly received: number; readonly refused: readonly Exchange[] }> {
  const { sql } = scene.database;
  await broughtHome(scene);
  const due = await sql`
    update switchyard.provider_state set opened_until = switchyard.clock() - interval '1 second'
    where provider = ${PROVIDER} and state = 'open'`;
  if (due.count !== 1) throw new Error(`before round ${of.round} the breaker was not open`);
  const before = scene.upstream.receivedCount;
  const othersAnswered = Promise.withResolvers<void>();
  scene.upstream.reactWith(() => ({ kind: 'refuse', status: 500, after: othersAnswered.promise }));
  const refused: Exchange[] = [];
  const chats = Array.from({ length: of.callers }, async (_none, caller) => {
    const wish = { tag: `11-${of.round}-${caller}`, userId: null, maxOutputTokens: OUTPUT_TOKENS };
    const exchange = await scene.chat(replicaAt(scene, caller).url, wish);
    if (exchange.reply.kind !== 'refused' || exchange.reply.attempts === 0) refused.push(exchange);
    // Whoever is not refused waits at the provider: when all the others have been, it may fail.
    if (refused.length + (scene.upstream.receivedCount - before) >= of.callers) othersAnswered.resolve();
  });
  try {
    await scene.upstream.whenReceived(before + 1, RECEIVED_MS_MAX);
    if (refused.length + (scene.upstream.receivedCount - before) >= of.callers) othersAnswered.resolve();
    await Promise.all(chats);
  } finally {
    othersAnswered.resolve();
  }
  return { received: scene.upstream.receivedCount - before, refused };
}

/** How often the breaker has let a probe out, by its own history. */
async function claimsOf(scene: Scene): Promise<number> {
  const [row] = await scene.database.sql`
    select count(*)::int as claims from switchyard.breaker_event
    where provider = ${PROVIDER} and from_state = 'open' and to_state = 'halfOpen'`;
  return Number(row?.claims);
}
