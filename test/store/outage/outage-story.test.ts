import fc from 'fast-check';
import { expect, test } from 'vitest';
import { picoUsd } from '../../../src/core/money.ts';
import { StoreUnavailable } from '../../../src/core/unavailable.ts';
import type { Admitted } from '../../../src/ports/admission.ts';
import { A, B, makeOutageKit, OUTAGE_CAP, type OutageKit, permitOf } from '../../support/outage-kit.ts';

const USERS = ['ann', 'bob'] as const;

/** One step of a random story about a replica whose store comes and goes. */
type Step =
  | { readonly kind: 'admit'; readonly user: 0 | 1; readonly amount: bigint; readonly isOnA: boolean }
  | { readonly kind: 'end'; readonly which: number; readonly share: number; readonly isSent: boolean }
  | { readonly kind: 'leave' | 'fallSilent' | 'comeBack' | 'reap' }
  | { readonly kind: 'wait'; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('admit'),
      user: fc.constantFrom<0 | 1>(0, 1),
      amount: fc.constantFrom(400n, OUTAGE_CAP / 100n, OUTAGE_CAP / 30n, OUTAGE_CAP / 3n),
      isOnA: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('end'),
      which: fc.nat(5),
      share: fc.integer({ min: 0, max: 10 }),
      isSent: fc.constantFrom(true, true, true, false),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('leave', 'fallSilent', 'comeBack', 'comeBack', 'reap') }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait'), ms: fc.constantFrom(2_000, 8_000, 40_000) }) },
);

interface Open {
  readonly user: 0 | 1;
  readonly admitted: Admitted;
}

/** Plays a story, and answers what each user really spent. */
async function play(kit: OutageKit, story: readonly Step[]): Promise<readonly bigint[]> {
  const open: Open[] = [];
  const spent = [0n, 0n];
  const finish = async ({ user, admitted }: Open, how: { readonly share: number; readonly isSent: boolean }) => {
    if (!how.isSent) return kit.settle(admitted, { kind: 'nothing' });
    await kit.store.dispatch(permitOf(admitted));
    const amount = picoUsd((permitOf(admitted).held * BigInt(how.share)) / 10n);
    spent[user] = (spent[user] ?? 0n) + amount;
    return kit.settle(admitted, { kind: 'spent', amount, source: 'reported' });
  };
  for (const step of story) {
    switch (step.kind) {
      case 'admit': {
        const { user } = step;
        const admitted = await kit.admit(USERS[user], step.amount, step.isOnA ? A : B).catch((error: unknown) => {
          if (!(error instanceof StoreUnavailable)) throw error;
        });
        if (admitted?.kind === 'admitted') open.push({ user, admitted });
        break;
      }
      case 'end': {
        const [one] = open.splice(step.which, 1);
        if (one !== undefined) await finish(one, step);
        break;
      }
      case 'reap':
        await kit.durable.reap(100);
        break;
      case 'wait':
        await kit.wait(step.ms);
        break;
      default:
        kit.way[step.kind]();
    }
    expect(await kit.wrongBooks(), step.kind).toEqual([]);
    for (const [user, amount] of spent.entries()) expect(amount, USERS[user]).toBeLessThanOrEqual(OUTAGE_CAP);
  }
  for (const one of open) await finish(one, { share: 5, isSent: true });
  return spent;
}

test('whatever comes when the store goes, the books are right at every moment, and in the end what was spent is posted', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 40 }), async (story) => {
      await using kit = await makeOutageKit();
      const spent = await play(kit, story);
      kit.way.comeBack();
      await kit.wait(200_000);
      expect(await kit.wrongBooks()).toEqual([]);
      for (const [user, amount] of spent.entries()) {
        expect(await kit.moneyOf(USERS[user]!), USERS[user]).toEqual({ posted: amount, held: 0n });
      }
      expect((await kit.store.survey()).providers.map(({ slotsUsed }) => slotsUsed)).toEqual([0, 0]);
    }),
    // Each story takes seconds: the first that fails is told as it is.
    { numRuns: 12, endOnFailure: true },
  );
}, 180_000);
