import { describeReply, type Exchange } from '../support/client.ts';
import { defineExperiment, makeFaults } from '../support/experiment.ts';
import { makeProvider } from '../support/registry.ts';
import { openScene, replicaAt } from '../support/scene.ts';
import { reconcileAtRest } from '../support/settle-down.ts';

const OUTPUT_TOKENS = 50;
const UPSTREAM_MS = { min: 50, max: 400 } as const;

/** The same chat from many callers who do not know of one another, at once and at every replica. */
export const idempotency = defineExperiment({
  number: 9,
  title: 'concurrent requests with one idempotency key',
  mustYield: '1 bill, as many equal answers as callers',
  sizes: {
    quick: { replicas: 2, callers: 50, rounds: 2 },
    full: { replicas: 2, callers: 50, rounds: 30 },
  },
  async run(context, size) {
    await using scene = await openScene(context, {
      replicas: size.replicas,
      providers: [makeProvider('one'), makeProvider('two')],
    });
    scene.upstream.reactWith(() => ({ kind: 'answer', delayMs: context.chance.int(UPSTREAM_MS) }));
    const faults = makeFaults();
    let bills = 0;
    let equal = 0;
    for (let round = 1; round <= size.rounds; round += 1) {
      context.progress(`round ${round} of ${size.rounds}`);
      const before = scene.upstream.receivedCount;
      const wish = {
        tag: `9-${round}`,
        userId: `user-${round}`,
        maxOutputTokens: OUTPUT_TOKENS,
        idempotencyKey: `key-${round}`,
      };
      const exchanges = await Promise.all(
        Array.from({ length: size.callers }, (_none, caller) => scene.chat(replicaAt(scene, caller).url, wish)),
      );
      const received = scene.upstream.receivedCount - before;
      const replies = new Set(exchanges.map(essenceOf));
      faults.expect(received === 1, `round ${round}: ${received} were billed`);
      faults.expect(
        replies.size === 1,
        `round ${round}: ${replies.size} different answers: ${[...replies].slice(0, 3).join(' | ')}`,
      );
      const answered = exchanges.filter(({ reply }) => reply.kind === 'answered').length;
      faults.expect(answered === size.callers, `round ${round}: only ${answered} of ${size.callers} were answered`);
      const originals = exchanges.filter(({ reply }) => reply.kind === 'answered' && !reply.isReplayed).length;
      faults.expect(originals === 1, `round ${round}: ${originals} answers say that they are not repeated`);
      const again = await scene.chat(replicaAt(scene, round).url, { ...wish, maxOutputTokens: OUTPUT_TOKENS + 1 });
      const isConflict = again.reply.kind === 'refused' && again.reply.code === 'IDEMPOTENCY_CONFLICT';
      faults.expect(isConflict, `round ${round}: the key with another body was ${describeReply(again.reply)}`);
      bills += received;
      equal += replies.size === 1 ? exchanges.length : 0;
    }
    const books = await reconcileAtRest(scene);
    return {
      figure: `${bills} bills and ${equal} equal answers in ${size.rounds} rounds of ${size.callers} callers at ${size.replicas} replicas`,
      figures: { bills, equal, rounds: size.rounds, callers: size.callers },
      faults: [...faults.list, ...books.faults],
    };
  },
});

/** What must be the same for everybody. */
function essenceOf({ reply }: Exchange): string {
  return describeReply(reply);
}
