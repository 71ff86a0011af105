import fc from 'fast-check';
import { type AccountKey, ANONYMOUS, apiKeyId, keyAccount, teamAccount, userAccount } from '../../src/core/ids.ts';
import { type PicoUsd, picoUsd, ZERO_USD } from '../../src/core/money.ts';
import type { Payers } from '../../src/core/paying.ts';
import { PERIODS } from '../../src/core/period.ts';
import { FAILURE_MODES } from '../../src/core/simulation.ts';
import type { AdmissionCandidate } from '../../src/ports/admission.ts';
import { makeModel, makeProvider, makeRegistry } from '../support/registries.ts';

/** Small on purpose: limits, budgets and breakers are all reached within a few commands. */
export const CONTRACT_REGISTRY = makeRegistry(
  makeProvider('tight', [makeModel('tight-1', '20')], { requestsPerMinute: 3 }),
  makeProvider('wide', [makeModel('wide-1', '15')], { requestsPerMinute: 50 }),
);

/** Another one for the same store: a provider less, one more, another order and a lower limit. */
export const OTHER_REGISTRY = makeRegistry(
  makeProvider('fresh', [makeModel('fresh-1', '10')], { requestsPerMinute: 4 }),
  makeProvider('tight', [makeModel('tight-1', '20')], { requestsPerMinute: 1 }),
);

export const CONTRACT_CAP = picoUsd(1_000n);

export const PROVIDERS = CONTRACT_REGISTRY.providers.map((provider) => provider.key);

const ANN = userAccount('ann');
const BOB = userAccount('bob');
const KEY = keyAccount(apiKeyId('k1'));
/** A key without a user: it pays by itself, or along where it acts for others. */
const LONE_KEY = keyAccount(apiKeyId('k2'));
const TEAM = teamAccount('t');

/** Those that can have a budget stand first. */
export const ACCOUNTS: readonly AccountKey[] = [ANN, BOB, KEY, LONE_KEY, TEAM, ANONYMOUS];

/** Who pays together: several users share a key, several keys a team, and each account also pays in other company. */
const PAYERS: readonly Payers[] = [
  { account: ANN, also: [] },
  { account: BOB, also: [] },
  { account: ANN, also: [KEY] },
  { account: ANN, also: [KEY, TEAM] },
  { account: BOB, also: [KEY, TEAM] },
  { account: BOB, also: [TEAM, LONE_KEY] },
  { account: LONE_KEY, also: [TEAM] },
  { account: LONE_KEY, also: [] },
];

/** The default cap of those who pay first. */
export function defaultCapOf({ account }: Payers): PicoUsd | null {
  return account === ANONYMOUS ? null : CONTRACT_CAP;
}

/** One step of a random sequence. `hold` points at the n-th hold made so far. */
export type Command =
  | { readonly kind: 'look'; readonly payers: Payers }
  | {
      readonly kind: 'admit';
      readonly payers: Payers;
      readonly candidates: readonly AdmissionCandidate[];
      readonly ceiling: PicoUsd | null;
      readonly attemptMs: number;
    }
  | {
      readonly kind: 'settle';
      readonly hold: number;
      readonly charge: 'spent' | 'hold' | 'nothing';
      readonly spentShare: number;
      readonly verdict: 'success' | 'failure' | 'neutral';
      readonly isSimulated: boolean;
      readonly retryAfterMs: number | null;
      readonly jitter: number;
      readonly throttledForMs: number | null;
      readonly setAside: string | null;
    }
  | { readonly kind: 'claimSimulatedFailure'; readonly provider: number }
  | { readonly kind: 'reap' }
  | { readonly kind: 'simulate'; readonly provider: number; readonly mode: number; readonly failuresMax: number | null }
  | { readonly kind: 'stopSimulation'; readonly provider: number | null }
  | { readonly kind: 'resetBreaker'; readonly provider: number }
  | { readonly kind: 'setEnabled'; readonly provider: number; readonly isEnabled: boolean }
  | {
      readonly kind: 'setBudget';
      readonly account: number;
      readonly cap: bigint;
      readonly period: number;
      readonly resetUsage: boolean;
    }
  | { readonly kind: 'noteWaiting'; readonly account: number; readonly provider: number; readonly forMs: number }
  | { readonly kind: 'survey' }
  | { readonly kind: 'pages' }
  | { readonly kind: 'beat'; readonly configHash: string }
  | { readonly kind: 'leave' }
  | { readonly kind: 'adopt'; readonly isOther: boolean }
  | { readonly kind: 'checkBooks' }
  | { readonly kind: 'wait'; readonly ms: number };

const candidate = fc
  .record({
    provider: fc.nat(PROVIDERS.length - 1),
    input: fc.bigInt({ min: 0n, max: 600n }),
    perOutputToken: fc.constantFrom(0n, 1n, 7n),
    outputTokensMax: fc.integer({ min: 1, max: 60 }),
    isFixed: fc.boolean(),
  })
  .map(
    ({ provider, input, perOutputToken, outputTokensMax, isFixed }): AdmissionCandidate => ({
      provider: PROVIDERS[provider]!,
      model: CONTRACT_REGISTRY.providers[provider]!.models[0]!.name,
      bound: {
        input: picoUsd(input),
        perOutputToken: picoUsd(perOutputToken),
        outputTokensMax,
        outputTokensMin: isFixed ? outputTokensMax : Math.min(outputTokensMax, 16),
      },
    }),
  );

const provider = fc.nat(PROVIDERS.length - 1);

export const NOBODY_IN_PARTICULAR: Payers = { account: ANONYMOUS, also: [] };

const payers = fc.constantFrom(...PAYERS, NOBODY_IN_PARTICULAR);

/** One step, weighted so that most are the ones of the request path. */
const command = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('look'), payers }) },
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('admit'),
      payers,
      candidates: fc.uniqueArray(candidate, { minLength: 1, maxLength: 2, selector: (one) => one.provider }),
      ceiling: fc.option(fc.bigInt({ min: 0n, max: 700n }).map(picoUsd), { freq: 3 }),
      attemptMs: fc.constantFrom(1_000, 20_000),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('settle'),
      // Mostly the newest holds: the others have ended, or belong to an epoch that has passed.
      hold: fc.oneof({ weight: 9, arbitrary: fc.nat(2) }, { weight: 1, arbitrary: fc.nat(30) }),
      charge: fc.constantFrom('spent', 'spent', 'hold', 'nothing'),
      spentShare: fc.constantFrom(0, 0.5, 1, 1.5),
      verdict: fc.constantFrom('success', 'failure', 'failure', 'failure', 'failure', 'neutral'),
      isSimulated: fc.boolean(),
      retryAfterMs: fc.option(fc.constantFrom(10, 90_000), { freq: 3 }),
      jitter: fc.constantFrom(0, 0.25, 0.999),
      throttledForMs: fc.option(fc.constant(5_000), { freq: 6 }),
      setAside: fc.option(fc.constant('401 bad key'), { freq: 12 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('claimSimulatedFailure'), provider }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reap') }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('simulate'),
      provider,
      mode: fc.nat(FAILURE_MODES.length - 1),
      failuresMax: fc.option(fc.constant(2)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stopSimulation'), provider: fc.option(provider) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('resetBreaker'), provider }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('setEnabled'),
      provider,
      isEnabled: fc.constantFrom(true, true, false),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('setBudget'),
      account: fc.nat(ACCOUNTS.length - 2),
      cap: fc.constantFrom(0n, 300n, 2_000n),
      period: fc.nat(PERIODS.length - 1),
      resetUsage: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('noteWaiting'),
      account: fc.nat(2),
      provider,
      forMs: fc.constantFrom(400, 20_000, 60_000, 600_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('survey') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pages') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('beat'), configHash: fc.constantFrom('old', 'new') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave') }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('adopt'), isOther: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('checkBooks') }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('wait'),
      ms: fc.constantFrom(1, 400, 5_000, 31_000, 61_000, 130_000, 86_400_000),
    }),
  },
) as fc.Arbitrary<Command>;

export const SETTLE = {
  kind: 'settle',
  hold: 0,
  charge: 'spent',
  spentShare: 1,
  isSimulated: false,
  retryAfterMs: null,
  jitter: 0.5,
  throttledForMs: null,
  setAside: null,
} as const;

/** A cheap attempt that only a breaker or a limit can refuse. */
export function admitOn(at: number, payers: Payers = NOBODY_IN_PARTICULAR): Command {
  const bound = { input: picoUsd(5n), perOutputToken: ZERO_USD, outputTokensMax: 1, outputTokensMin: 1 };
  const candidates = [{ provider: PROVIDERS[at]!, model: CONTRACT_REGISTRY.providers[at]!.models[0]!.name, bound }];
  return { kind: 'admit', payers, candidates, ceiling: null, attemptMs: 1_000 };
}

/** Attempts on one provider, each ended at once: the way to an open breaker, a probe and back, which single steps hardly find. */
const attempts = fc
  .record({
    at: provider,
    verdicts: fc.array(fc.constantFrom('failure', 'failure', 'success'), { minLength: 1, maxLength: 5 }),
  })
  .map(({ at, verdicts }) =>
    verdicts.flatMap((verdict): readonly Command[] => [
      admitOn(at),
      { ...SETTLE, verdict, isSimulated: verdicts.length === 4 },
    ]),
  );

/** Sequences of 10 to 40 pieces, each one step or a few attempts. */
export const commands: fc.Arbitrary<readonly Command[]> = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: command.map((one): readonly Command[] => [one]) },
      { weight: 1, arbitrary: attempts },
    ),
    { minLength: 10, maxLength: 40 },
  )
  .map((pieces) => pieces.flat());
