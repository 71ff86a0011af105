import { heldOf } from '../support/books.ts';
import { describeReply } from '../support/client.ts';
import { defineExperiment, makeFaults } from '../support/experiment.ts';
import { closedLoad } from '../support/load.ts';
import { makeProvider } from '../support/registry.ts';
import { DEFAULT_CAP, openScene, replicaAt } from '../support/scene.ts';
import { broughtHome, reconcileAtRest } from '../support/settle-down.ts';

const OUTPUT_PRICE = 2_500_000n;
const OUTPUT_TOKENS_MAX = 400_000;

/** What was refused while others held the money must be possible when they have given it back: to the last pico-dollar. */
export const noFalseRefusal = defineExperiment({
  number: 2,
  title: 'no false refusal after the traffic has drained',
  mustYield: 'held = 0; a request costing exactly what is available is admitted, one token more is not',
  sizes: {
    quick: { replicas: 2, callers: 16, chatsPerUser: 40, users: 5 },
    full: { replicas: 4, callers: 64, chatsPerUser: 100, users: 50 },
  },
  async run(context, size) {
    const provider = makeProvider('exact', {
      inputPicoPerToken: 0n,
      outputPicoPerToken: OUTPUT_PRICE,
      outputTokensMax: OUTPUT_TOKENS_MAX,
    });
    await using scene = await openScene(context, { replicas: size.replicas, providers: [provider] });
    scene.upstream.reactWith(({ outputTokensMax }) => ({
      kind: 'answer',
      // Far less than what was held: most of it comes back.
      usage: { inputTokens: 1, outputTokens: 1 + Math.floor(outputTokensMax * context.chance.next() * 0.02) },
      delayMs: context.chance.int({ min: 0, max: 20 }),
    }));
    const faults = makeFaults();
    let exact = 0;
    for (let user = 1; user <= size.users; user += 1) {
      context.progress(`user ${user} of ${size.users}`);
      const userId = `exact-${user}`;
      await closedLoad({
        callers: size.callers,
        countMax: size.chatsPerUser,
        send: (sequence) =>
          scene.chat(replicaAt(scene, sequence).url, {
            tag: `2-${user}-${sequence}`,
            userId,
            maxOutputTokens: context.chance.int({ min: 1, max: 150_000 }),
          }),
      });
      await broughtHome(scene);
      const drained = await heldOf(scene.database.sql);
      faults.expect(
        drained.held === 0n && drained.holds === 0,
        `${userId}: ${drained.held} is still held in ${drained.holds} holds`,
      );
      const [account] = await scene.database.sql`
        select posted::text from switchyard.account where key = ${`user:${userId}`}`;
      const available = Number((DEFAULT_CAP - BigInt(account?.posted ?? 0)) / OUTPUT_PRICE);
      const ask = (tag: string, maxOutputTokens: number) =>
        scene.chat(replicaAt(scene, user).url, { tag: `2-${user}-${tag}`, userId, maxOutputTokens });
      const more = await ask('more', available + 1);
      faults.expect(
        more.reply.kind === 'refused' && more.reply.code === 'BUDGET_EXCEEDED',
        `${userId}: one token too many: ${describeReply(more.reply)}`,
      );
      const all = await ask('all', available);
      faults.expect(all.reply.kind === 'answered', `${userId}: exactly what is available: ${describeReply(all.reply)}`);
      if (all.reply.kind === 'answered') exact += 1;
    }
    const books = await reconcileAtRest(scene);
    return {
      figure: `held = 0 after each of ${size.users} users' bursts; ${exact} of ${size.users} requests for exactly what was left admitted`,
      figures: { users: size.users, exactAdmitted: exact, answered: books.answered },
      faults: [...faults.list, ...books.faults],
    };
  },
});
