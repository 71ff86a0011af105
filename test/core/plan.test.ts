import { deepEqual, equal, fail, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { candidatesOf } from '../../src/core/candidates.ts';
import { type CandidateReport, REJECTIONS, type RejectionReason } from '../../src/core/decision.ts';
import { holdId, requestId } from '../../src/core/ids.ts';
import { makePlan, type Ranked } from '../../src/core/plan.ts';
import type { AdmissionRefusal } from '../../src/ports/admission.ts';
import { type Planned, planOf, type Scene, scene } from './plan-scenes.ts';

const RUNS = { numRuns: 2_000 };

function nameOf(of: { readonly provider: string; readonly model: string }): string {
  return `${of.provider}/${of.model}`;
}

function forEveryScene(check: (planned: Planned, of: Scene) => Promise<void> | void): Promise<void> {
  return fc.assert(
    fc.asyncProperty(scene, async (of) => check(await planOf(of), of)),
    RUNS,
  );
}

/** What the store answers when asked for this one candidate, in the state the plan was made from. */
async function ask(of: Scene, { candidate, bound }: Pick<Ranked, 'candidate' | 'bound'>) {
  const { store, input, request } = await planOf(of);
  const id = 'asked';
  return store.admit({
    requestId: requestId(id),
    attempt: 1,
    holdId: holdId(id),
    account: input.account.key,
    also: [],
    defaultCap: of.cap,
    ceiling: request.costMax,
    candidates: [{ provider: candidate.provider.key, model: candidate.model.name, bound }],
    attemptMs: 1_000,
  });
}

describe('every candidate', () => {
  test('is ranked or rejected, exactly once, and says so consistently', async () => {
    const met = new Set<RejectionReason>();
    await forEveryScene(({ plan, input, request }) => {
      const all = candidatesOf(input.registry, request).map(({ provider, model }) =>
        nameOf({ provider: provider.key, model: model.name }),
      );
      const ranked = plan.ranked.map(({ report }) => report);
      deepEqual([...ranked, ...plan.rejected].map(nameOf).toSorted(), all.toSorted());
      deepEqual(
        ranked.map(({ rank }) => rank),
        ranked.map((_, index) => index + 1),
      );
      ok(ranked.every(({ rejection, score }) => rejection === null && score !== null));
      for (const { rank, score, scoreTerms, rejection } of plan.rejected) {
        deepEqual({ rank, score, scoreTerms }, { rank: null, score: null, scoreTerms: [] });
        met.add(rejection?.reason ?? fail('a rejected candidate has a reason'));
      }
      deepEqual(
        plan.rejected.map(nameOf),
        all.filter((name) => plan.rejected.map(nameOf).includes(name)),
      );
    });
    // The scenes are worth something: they meet every reason there is.
    expect([...met].toSorted()).toEqual([...REJECTIONS].toSorted());
  });

  test('that is ranked would be admitted by the store at that instant', async () => {
    await forEveryScene(async ({ plan }, of) => {
      for (const ranked of plan.ranked) {
        const answer = await ask(of, ranked);
        equal(answer.kind, 'admitted', nameOf(ranked.report));
      }
    });
  });

  test('that is rejected for its provider or for money would be refused by the store for the same reason', async () => {
    await forEveryScene(async ({ plan, input }, of) => {
      for (const report of plan.rejected) {
        const bound = { input: 0n, perOutputToken: 0n, outputTokensMax: 1, outputTokensMin: 1 } as Ranked['bound'];
        const known = candidatesOf(input.registry, input.request).find(
          ({ provider, model }) => provider.key === report.provider && model.name === report.model,
        );
        if (!isOfTheStore(report) || known === undefined) continue;
        const isPoor = report.rejection?.reason === 'overBudget';
        const required = report.rejection?.required ?? 0n;
        const asked = isPoor ? ({ ...bound, input: required } as Ranked['bound']) : bound;
        const answer = await ask(of, { candidate: known, bound: asked });
        ok(answer.kind === 'refused');
        equal(reasonOf(answer.refusals[0]?.why), report.rejection?.reason);
      }
    });
  });
});

const REASONS_OF_THE_STORE: readonly RejectionReason[] = [
  'disabled',
  'breakerOpen',
  'breakerProbing',
  'rateLimited',
  'overBudget',
];

function isOfTheStore({ rejection }: CandidateReport): boolean {
  return rejection !== null && REASONS_OF_THE_STORE.includes(rejection.reason);
}

function reasonOf(why: AdmissionRefusal['why'] | undefined): RejectionReason | undefined {
  if (why?.kind === 'setAside') return 'disabled';
  return why?.kind === 'throttled' ? 'rateLimited' : why?.kind;
}

describe('the order', () => {
  test("is the caller's tiers, then the caller's order, then the score, then the registry", async () => {
    await forEveryScene(({ plan, input, request }) => {
      const { order } = request.preferences;
      const all = candidatesOf(input.registry, request);
      const keyOf = ({ candidate, report }: Ranked) => [
        candidate.tier ?? Number.POSITIVE_INFINITY,
        order.includes(candidate.provider.key) ? order.indexOf(candidate.provider.key) : order.length,
        -(report.score ?? 0),
        all.findIndex(({ provider, model }) => provider === candidate.provider && model === candidate.model),
      ];
      for (const [place, next] of plan.ranked.entries()) {
        const before = plan.ranked[place - 1];
        if (before === undefined) continue;
        const [one, other] = [keyOf(before), keyOf(next)];
        const differing = one.findIndex((figure, index) => figure !== other[index]);
        ok(one[differing]! < other[differing]!, `${nameOf(before.report)} before ${nameOf(next.report)}`);
      }
    });
  });

  test('does not depend on who else was rejected, nor on being asked before', async () => {
    await forEveryScene(({ plan, input }) => {
      deepEqual(makePlan(input), plan);
    });
  });
});

describe('a score', () => {
  test('is the sum of value × weight, lies in 0 to 1, and the weights add up to one', async () => {
    await forEveryScene(({ plan }) => {
      for (const { report } of plan.ranked) {
        const sum = report.scoreTerms.reduce((total, { value, weight }) => total + value * weight, 0);
        equal(report.score, sum);
        ok(sum >= 0 && sum <= 1 + Number.EPSILON, String(sum));
        ok(report.scoreTerms.every(({ value }) => value >= 0 && value <= 1));
        const weights = report.scoreTerms.reduce((total, { weight }) => total + weight, 0);
        ok(Math.abs(weights - 1) < 1e-9);
      }
    });
  });

  test('by one quality gives its best candidate the whole point', async () => {
    await forEveryScene(({ plan, request }) => {
      if (plan.ranked.length === 0 || request.preferences.sort === null) return;
      const scores = plan.ranked.map(({ report }) => report.score ?? 0);
      equal(Math.max(...scores), 1);
      deepEqual(
        plan.ranked[0]?.report.scoreTerms.map(({ name }) => name),
        [request.preferences.sort],
      );
    });
  });
});

test('a provider that the store does not know is a bug, and is thrown', async () => {
  const [of] = fc.sample(scene, { numRuns: 1, seed: 1 });
  const { input } = await planOf(of ?? fail());
  expect(() => makePlan({ ...input, providers: [] })).toThrow(RangeError);
});
