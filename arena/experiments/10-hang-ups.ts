import { heldOf } from '../support/books.ts';
import type { DatabaseClock } from '../support/database-clock.ts';
import { defineExperiment, makeFaults } from '../support/experiment.ts';
import { makeProvider } from '../support/registry.ts';
import { makeRestStreamClient } from '../support/rest-stream-client.ts';
import { openScene } from '../support/scene.ts';
import { settleDown, until } from '../support/settle-down.ts';
import { makeStreamClient } from '../support/stream-client.ts';
import type { StreamEnd } from '../support/stream-reader.ts';
import { wholeHoldsCharged } from '../support/whole-holds.ts';

const WIRES = ['openai', 'anthropic', 'gemini', 'openaiCompatible'] as const;
const OUTPUT_TOKENS = 400;
const EVERY_MS = 5;
const AT_ONCE = 16;
/** After a reader left, an upstream must be let go within this. */
const LET_GO_MS_MAX = 10_000;

/** A reader of a stream hangs up after each number of events there can be, at each door and each kind of provider. */
export const hangUps = defineExperiment({
  number: 10,
  title: 'caller hangs up at every chunk index, over GraphQL and REST',
  mustYield: 'settled ≥ billed, but not all that was held once a piece had come; holds left 0',
  sizes: { quick: { tokens: 24, rounds: 1 }, full: { tokens: 64, rounds: 10 } },
  async run(context, size) {
    const clocks: DatabaseClock[] = [];
    await using scene = await openScene(context, {
      replicas: 1,
      providers: WIRES.map((kind) => makeProvider(kind.toLowerCase(), { kind })),
      prepare: async (database) => void clocks.push(await database.makeClock()),
    });
    scene.upstream.reactWith(() => ({ kind: 'stream', streaming: { tokens: size.tokens, everyMs: EVERY_MS } }));
    await using graphql = makeStreamClient();
    await using rest = makeRestStreamClient();
    const doors = Object.entries({ graphql, rest });
    const url = scene.replicas[0]?.url ?? '';
    // At once, after each token, and one who never hangs up.
    const places = Array.from({ length: size.tokens + 2 }, (_none, place) => place);
    const orders = Array.from({ length: size.rounds }).flatMap((_none, round) =>
      WIRES.flatMap((wire) =>
        doors.flatMap(([door, reader]) => places.map((place) => ({ wire, door, reader, place, round }))),
      ),
    );
    const ends: (StreamEnd & { readonly door: string })[] = [];
    for (let at = 0; at < orders.length; at += AT_ONCE) {
      context.progress(`${at} of ${orders.length} streams`);
      const some = orders.slice(at, at + AT_ONCE).map(async ({ wire, door, reader, place, round }) => {
        const only = [wire.toLowerCase()];
        const wish = {
          tag: `10-${wire}-${door}-${place}-${round}`,
          userId: `${wire}-${round}`,
          maxOutputTokens: OUTPUT_TOKENS,
          only,
        };
        scene.log.begin(wish);
        return { ...(await reader.read(url, wish, { hangUpAfter: place })), door };
      });
      ends.push(...(await Promise.all(some)));
    }
    const faults = makeFaults();
    const isLetGo = await until(LET_GO_MS_MAX, async () => scene.upstream.openCount === 0);
    faults.expect(isLetGo, `${scene.upstream.openCount} upstreams still write to nobody`);
    const [clock] = clocks;
    if (clock === undefined) throw new RangeError('no clock');
    const heldAtRest = await until(LET_GO_MS_MAX, async () => (await heldOf(scene.database.sql)).holds === 0);
    faults.expect(heldAtRest, `${(await heldOf(scene.database.sql)).holds} holds had to wait for the reaper`);
    const { books, holds } = await settleDown(scene, clock);
    faults.list.push(...books.faults);
    faults.expect(holds === 0, `${holds} holds are left`);
    // Whoever left before the first piece cannot be charged by what came: nothing had.
    const whole = await wholeHoldsCharged(scene.database.sql);
    const unserved = ends.filter(({ text }) => text === '').length;
    faults.expect(whole <= unserved, `${whole} were charged all that was held, but only ${unserved} had got nothing`);
    const left = ends.filter(({ kind }) => kind === 'hungUp');
    const leftPerDoor = doors.map(([door]) => left.filter((end) => end.door === door).length);
    const others = ends.filter(({ kind }) => kind !== 'hungUp' && kind !== 'completed');
    faults.expect(others.length === 0, `${others.length} streams ended otherwise, one with ${others[0]?.why}`);
    faults.expect(
      leftPerDoor.every((count) => count >= WIRES.length * size.tokens * size.rounds),
      `only ${leftPerDoor.join(' and ')} hung up, so little was shown`,
    );
    const { billed, booked } = books;
    return {
      figure: `${left.length} of ${ends.length} streams left, ${leftPerDoor[1]} of them over REST: ${holds} holds left, ${whole} charged in full of ${unserved} that left before a piece, booked ${booked} ≥ billed ${billed} pico-dollars`,
      figures: {
        streams: ends.length,
        hungUp: left.length,
        holds,
        whole,
        unserved,
        billed: Number(billed),
        booked: Number(booked),
      },
      faults: faults.list,
    };
  },
});
