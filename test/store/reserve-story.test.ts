import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type HoldId, teamAccount } from '../../src/core/ids.ts';
import { type PicoUsd, picoUsd } from '../../src/core/money.ts';
import { SLICE } from '../../src/core/slices.ts';
import { CAP, makeReserveKit, type ReserveKit, settlementOf, takeSlice, wishOf } from '../support/reserve-kit.ts';

let kit: ReserveKit;

beforeAll(async () => {
  kit = await makeReserveKit();
});
afterAll(() => kit[Symbol.asyncDispose]());

const TEAM = teamAccount('t');

/** One step of a random story about two replicas and one account, which pays alone or along with a team. */
type Step =
  | { readonly kind: 'take'; readonly replica: 0 | 1; readonly isAlone: boolean }
  | { readonly kind: 'renew' | 'giveBack' | 'lose'; readonly replica: 0 | 1 }
  | { readonly kind: 'spend'; readonly replica: 0 | 1; readonly heldShare: number; readonly spentShare: number }
  | { readonly kind: 'carryOut'; readonly which: number; readonly isTwice: boolean }
  | { readonly kind: 'buy'; readonly share: number; readonly isAlone: boolean }
  | { readonly kind: 'reap' }
  | { readonly kind: 'wait'; readonly ms: number };

const replica = fc.constantFrom<0 | 1>(0, 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('take'), replica, isAlone: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('renew', 'giveBack', 'lose'), replica }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('spend'),
      replica,
      heldShare: fc.integer({ min: 1, max: 10 }),
      spentShare: fc.integer({ min: 0, max: 10 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('carryOut'), which: fc.nat(9), isTwice: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('buy'), share: fc.integer({ min: 1, max: 10 }), isAlone: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('reap') }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait'), ms: fc.constantFrom(5_000, 20_000, 95_000) }) },
);

/** Spending that is told in part before its slice expires and in part after. */
const STORY: readonly Step[] = [
  { kind: 'take', replica: 0, isAlone: false },
  { kind: 'spend', replica: 0, heldShare: 9, spentShare: 3 },
  { kind: 'spend', replica: 0, heldShare: 10, spentShare: 5 },
  { kind: 'spend', replica: 0, heldShare: 5, spentShare: 0 },
  { kind: 'carryOut', which: 1, isTwice: true },
  { kind: 'wait', ms: 95_000 },
  { kind: 'reap' },
  { kind: 'carryOut', which: 0, isTwice: true },
  { kind: 'buy', share: 10, isAlone: false },
  { kind: 'carryOut', which: 0, isTwice: false },
  { kind: 'giveBack', replica: 0 },
];

/** A slice as its replica knows it. */
interface Known {
  readonly id: HoldId;
  readonly replica: 0 | 1;
  readonly isAlone: boolean;
  rest: PicoUsd;
  untilMs: number;
  /** What was spent, and is not carried out. */
  readonly texts: string[];
}

/** Plays a story as replicas do, and answers what was really spent, in all and of the team's. */
async function play(story: readonly Step[]): Promise<{ readonly spent: bigint; readonly spentByTeam: bigint }> {
  let known: Known[] = [];
  let spent = 0n;
  let spentByTeam = 0n;
  const spend = (amount: bigint, { isAlone }: { readonly isAlone: boolean }) => {
    spent += amount;
    if (!isAlone) spentByTeam += amount;
  };
  const namesOf = (index: 0 | 1) => known.filter((slice) => slice.replica === index).map(({ id }) => id);
  for (const step of story) {
    switch (step.kind) {
      case 'take': {
        const taken = await takeSlice(kit.stores[step.replica], namesOf(step.replica), alsoOf(step));
        if (taken !== null) {
          known.push({
            id: taken.id,
            replica: step.replica,
            isAlone: step.isAlone,
            rest: taken.amount,
            untilMs: kit.now() + SLICE.leaseMs,
            texts: [],
          });
        }
        break;
      }
      case 'renew': {
        const keep = namesOf(step.replica);
        const { slices } = await kit.stores[step.replica].reserve(wishOf({ keep, renew: keep }));
        for (const slice of known)
          if (slices.some(({ id }) => id === slice.id)) slice.untilMs = kit.now() + SLICE.leaseMs;
        break;
      }
      case 'giveBack':
      case 'lose': {
        known = known.filter((slice) => slice.replica !== step.replica || slice.texts.length > 0);
        if (step.kind === 'giveBack') await kit.stores[step.replica].reserve(wishOf({ keep: namesOf(step.replica) }));
        break;
      }
      case 'spend': {
        const slice = known.find((one) => one.replica === step.replica && one.untilMs > kit.now() && one.rest > 10n);
        if (slice === undefined) break;
        const held = picoUsd((slice.rest * BigInt(step.heldShare)) / 10n);
        const amount = picoUsd((held * BigInt(step.spentShare)) / 10n);
        slice.rest = picoUsd(slice.rest - amount);
        spend(amount, slice);
        slice.texts.push(kit.spendText(kit.drawOf(slice.id, held), { kind: 'spent', amount, source: 'reported' }));
        break;
      }
      case 'carryOut': {
        const slice = known.filter(({ texts }) => texts.length > 0)[0];
        const text = slice?.texts.splice(step.which % slice.texts.length, 1)[0];
        if (text !== undefined) await kit.stores[0].carryOut(text);
        if (text !== undefined && step.isTwice) await kit.stores[1].carryOut(text);
        break;
      }
      case 'buy': {
        const { posted, held } = await kit.money();
        const amount = picoUsd(((CAP - posted - held) * BigInt(step.share)) / 10n);
        const admitted = await kit.admit(amount, alsoOf(step));
        if (admitted.kind !== 'admitted') break;
        spend(amount, step);
        await kit.stores[0].settle(settlementOf(admitted.permit.holdId, { kind: 'hold' }));
        break;
      }
      case 'reap':
        await kit.stores[1].reap(100);
        break;
      case 'wait':
        await kit.wait(step.ms);
        break;
      default:
        step satisfies never;
    }
    expect(await kit.wrongBooks()).toEqual([]);
  }
  for (const text of known.flatMap(({ texts }) => texts)) await kit.stores[0].carryOut(text);
  for (const store of kit.stores) await store.reserve(wishOf({}));
  return { spent, spentByTeam };
}

function alsoOf({ isAlone }: { readonly isAlone: boolean }) {
  return isAlone ? [] : [TEAM];
}

test('whatever happens in whatever order, the books are right at every moment, and in the end what was spent is posted', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (story) => {
      await kit.empty();
      const { spent, spentByTeam } = await play(story);
      expect(await kit.wrongBooks()).toEqual([]);
      expect(await kit.money()).toEqual({ posted: spent, held: 0n });
      expect(await kit.money(TEAM)).toEqual({ posted: spentByTeam, held: 0n });
    }),
    { numRuns: 60, examples: [[STORY]] },
  );
}, 180_000);
