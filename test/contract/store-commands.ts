import fc from 'fast-check';
import { type AccountKey, ANONYMOUS, holdId, providerKey, requestId, userAccount } from '../../src/core/ids.ts';
import { type PicoUsd, picoUsd, ZERO_USD } from '../../src/core/money.ts';
import { PERIODS } from '../../src/core/period.ts';
import { FAILURE_MODES } from '../../src/core/simulation.ts';
import type { AdmissionCandidate, Charge } from '../../src/ports/admission.ts';
import type { Store } from '../../src/ports/store.ts';
import { makeModel, makeProvider, makeRegistry } from '../support/registries.ts';

/** Small on purpose: limits, budgets and breakers are all reached within a few commands. */
export const CONTRACT_REGISTRY = makeRegistry(
  makeProvider('tight', [makeModel('tight-1', '20')], { requestsPerMinute: 3 }),
  makeProvider('wide', [makeModel('wide-1', '15')], { requestsPerMinute: 50 }),
);

export const CONTRACT_CAP = picoUsd(1_000n);

const PROVIDERS = CONTRACT_REGISTRY.providers.map((provider) => provider.key);
const ACCOUNTS: readonly AccountKey[] = [userAccount('ann'), userAccount('bob'), ANONYMOUS];
const ACTOR = { name: 'tester', reason: 'contract' };

/** One step of a random sequence. `hold` points at the n-th hold made so far. */
export type Command =
  | { readonly kind: 'look'; readonly account: AccountKey }
  | {
      readonly kind: 'admit';
      readonly account: AccountKey;
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
  | { readonly kind: 'survey' }
  | { readonly kind: 'pages' }
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

/** One step, weighted so that most are the ones of the request path. */
const command = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('look'), account: fc.constantFrom(...ACCOUNTS) }) },
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('admit'),
      account: fc.constantFrom(...ACCOUNTS),
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
      account: fc.nat(1),
      cap: fc.constantFrom(0n, 300n, 2_000n),
      period: fc.nat(PERIODS.length - 1),
      resetUsage: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('survey') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pages') }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('wait'),
      ms: fc.constantFrom(1, 400, 5_000, 31_000, 61_000, 130_000, 86_400_000),
    }),
  },
) as fc.Arbitrary<Command>;

/** Attempts on one provider, each ended at once: the way to an open breaker, a probe and back, which single steps hardly find. */
const attempts = fc
  .record({
    at: provider,
    verdicts: fc.array(fc.constantFrom('failure', 'failure', 'success'), { minLength: 1, maxLength: 5 }),
  })
  .map(({ at, verdicts }) =>
    verdicts.flatMap((verdict): readonly Command[] => [
      {
        kind: 'admit',
        account: ANONYMOUS,
        candidates: [
          {
            provider: PROVIDERS[at]!,
            model: CONTRACT_REGISTRY.providers[at]!.models[0]!.name,
            bound: { input: picoUsd(5n), perOutputToken: ZERO_USD, outputTokensMax: 1, outputTokensMin: 1 },
          },
        ],
        ceiling: null,
        attemptMs: 1_000,
      },
      {
        kind: 'settle',
        hold: 0,
        charge: 'spent',
        spentShare: 1,
        verdict,
        isSimulated: verdicts.length === 4,
        retryAfterMs: null,
        jitter: 0.5,
        throttledForMs: null,
        setAside: null,
      },
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

/** A hold that was made, as the next settle needs it. */
interface Made {
  readonly id: string;
  readonly held: PicoUsd;
}

/** Runs one command on one store. `made` collects the holds of that store; the ids come from the step, so both stores get the same. */
export async function run(store: Store, command: Command, step: number, made: Made[]): Promise<unknown> {
  switch (command.kind) {
    case 'look':
      return store.look(command.account);
    case 'admit': {
      const id = `00000000-0000-7000-8000-${String(step).padStart(12, '0')}`;
      const answer = await store.admit({
        requestId: requestId(id),
        attempt: 1,
        holdId: holdId(id),
        account: command.account,
        defaultCap: command.account === ANONYMOUS ? null : CONTRACT_CAP,
        ceiling: command.ceiling,
        candidates: command.candidates,
        attemptMs: command.attemptMs,
      });
      if (answer.kind === 'admitted') made.push({ id, held: answer.permit.held });
      return answer;
    }
    case 'settle': {
      const hold = made[made.length - 1 - command.hold] ?? {
        id: '00000000-0000-7000-8000-ffffffffffff',
        held: ZERO_USD,
      };
      return store.settle({
        holdId: holdId(hold.id),
        charge: chargeOf(command, hold),
        verdict:
          command.verdict === 'failure'
            ? { kind: 'failure', retryAfterMs: command.retryAfterMs, isSimulated: command.isSimulated }
            : { kind: command.verdict },
        jitter: command.jitter,
        throttledForMs: command.throttledForMs,
        setAside: command.setAside,
      });
    }
    case 'claimSimulatedFailure':
      return store.claimSimulatedFailure(keyOf(command.provider));
    case 'reap':
      return (await store.reap(100)).toSorted((one, other) => one.holdId.localeCompare(other.holdId));
    case 'simulate': {
      const { failuresMax } = command;
      const mode = FAILURE_MODES[command.mode]!;
      return store.simulate(
        keyOf(command.provider),
        { mode, rate: 0.5, durationMs: 60_000, failuresMax, latencyMs: null },
        ACTOR,
      );
    }
    case 'stopSimulation':
      return store.stopSimulation(command.provider === null ? null : keyOf(command.provider), ACTOR);
    case 'resetBreaker':
      return store.resetBreaker(keyOf(command.provider), ACTOR);
    case 'setEnabled':
      return store.setEnabled(keyOf(command.provider), command.isEnabled, ACTOR);
    case 'setBudget': {
      const { cap, resetUsage } = command;
      const wish = {
        account: ACCOUNTS[command.account]!,
        cap: picoUsd(cap),
        period: PERIODS[command.period]!,
        resetUsage,
      };
      return store.setBudget(wish, ACTOR);
    }
    case 'survey':
      return { survey: await store.survey(), range: await store.range() };
    case 'pages':
      return readPages(store);
    case 'wait':
      return null;
    default:
      return command satisfies never;
  }
}

function chargeOf(command: Extract<Command, { kind: 'settle' }>, hold: Made): Charge {
  if (command.charge !== 'spent') return { kind: command.charge };
  const amount = picoUsd((hold.held * BigInt(command.spentShare * 10)) / 10n);
  return { kind: 'spent', amount, source: 'reported' };
}

async function readPages(store: Store): Promise<unknown> {
  const first = { size: 1, direction: 'forward', cursor: null } as const;
  const accounts = await store.accounts({ page: first, defaultCap: CONTRACT_CAP, status: [] });
  const cursor = accounts.kind === 'page' ? (accounts.page.items[0]?.cursor ?? null) : null;
  return {
    accounts,
    next: await store.accounts({ page: { ...first, cursor }, defaultCap: CONTRACT_CAP, status: [] }),
    last: await store.accounts({
      page: { ...first, direction: 'backward' },
      defaultCap: CONTRACT_CAP,
      status: ['ok', 'warning'],
    }),
    tail: await store.tail(0, 100),
    history: await store.history(keyOf(0), { size: 2, direction: 'forward', cursor: null }),
    older: await store.history(keyOf(0), { size: 2, direction: 'backward', cursor: '3' }),
  };
}

function keyOf(index: number) {
  return PROVIDERS[index] ?? providerKey('none');
}
