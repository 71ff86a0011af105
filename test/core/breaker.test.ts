import { describe, expect, test } from 'vitest';
import {
  type Breaker,
  type BreakerPass,
  claimProbe,
  cooldownOf,
  describeTransition,
  isCurrent,
  makeBreaker,
  passageOf,
  reopensAtOf,
  reportTo,
  resetByHand,
  type Transition,
  type Verdict,
} from '../../src/core/breaker.ts';
import { holdId } from '../../src/core/ids.ts';
import { type EpochMs, epochMs } from '../../src/core/time.ts';

const START = epochMs(1_000_000);
const SUCCESS: Verdict = { kind: 'success' };
const NEUTRAL: Verdict = { kind: 'neutral' };
const FAILURE: Verdict = { kind: 'failure', retryAfterMs: null, isSimulated: false };

/** An attempt that was let through at `startedAtMs`, without being a probe. */
function passOn(breaker: Breaker, startedAtMs: EpochMs = START): BreakerPass {
  return { epoch: breaker.epoch, probeId: null, startedAtMs };
}

function told(breaker: Breaker, pass: BreakerPass, verdict: Verdict, nowMs: EpochMs = START, jitter = 0) {
  return reportTo(breaker, { pass, verdict, jitter }, nowMs);
}

function failedTimes(count: number, breaker: Breaker = makeBreaker(START), nowMs: EpochMs = START): Breaker {
  return Array.from({ length: count }).reduce<Breaker>(
    (present) => told(present, passOn(present), FAILURE, nowMs).breaker,
    breaker,
  );
}

/** Claims the probe for a lease of 10 s, and the pass that goes with it. */
function probing(breaker: Breaker, id: string, nowMs: EpochMs) {
  const change = claimProbe(breaker, { id: holdId(id), leaseEndsAtMs: epochMs(nowMs + 10_000) }, nowMs);
  const pass: BreakerPass = { epoch: change.breaker.epoch, probeId: holdId(id), startedAtMs: nowMs };
  return { ...change, pass };
}

const OPEN = failedTimes(3);
const DUE = epochMs(START + 60_000);

describe('closed', () => {
  test('two failures in a row leave it closed; the third opens it for 60 s', () => {
    expect(passageOf(failedTimes(2), START)).toEqual({ kind: 'through' });
    const third = told(failedTimes(2), passOn(failedTimes(2)), FAILURE);
    expect(third.transition).toEqual({
      from: 'closed',
      to: 'open',
      cause: 'failureThreshold',
      epoch: 1,
      fails: 3,
      reopensAtMs: START + 60_000,
      detail: null,
    });
    expect(third.breaker).toMatchObject({ epoch: 1, openedAtMs: START, changedAtMs: START, reopenCount: 0 });
  });

  test('a success between failures starts the count again, if its call began after the first of them ended', () => {
    const troubled = failedTimes(2);
    const healed = told(troubled, passOn(troubled, START), SUCCESS).breaker;
    expect(healed.circuit).toEqual({ kind: 'closed', fails: 0, streakStartedAtMs: null });
    expect(failedTimes(2, healed).circuit.kind).toBe('closed');
    expect(failedTimes(3, healed).circuit.kind).toBe('open');
  });

  test('a success whose call began before the streak does not end it', () => {
    const troubled = failedTimes(2);
    const early = told(troubled, passOn(troubled, epochMs(START - 1)), SUCCESS);
    expect(early).toEqual({ breaker: troubled, transition: null });
  });

  test('neutral endings change nothing, however many', () => {
    const troubled = failedTimes(2);
    for (let count = 0; count < 10; count += 1) {
      expect(told(troubled, passOn(troubled), NEUTRAL)).toEqual({ breaker: troubled, transition: null });
    }
  });

  test('a simulated third failure says that it was simulated', () => {
    const simulated: Verdict = { ...FAILURE, isSimulated: true };
    expect(told(failedTimes(2), passOn(failedTimes(2)), simulated).transition?.cause).toBe('simulation');
  });
});

describe('open', () => {
  test('until the cooldown has passed it says until when, and then the next attempt may probe', () => {
    expect(passageOf(OPEN, epochMs(DUE - 1))).toEqual({ kind: 'open', reopensAtMs: DUE });
    expect(passageOf(OPEN, DUE)).toEqual({ kind: 'asProbe' });
    expect(reopensAtOf(OPEN)).toBe(DUE);
    expect(reopensAtOf(failedTimes(2))).toBeNull();
  });

  test('asking takes nothing: a thousand questions and the probe is still there', () => {
    for (let asked = 0; asked < 1_000; asked += 1) expect(passageOf(OPEN, DUE)).toEqual({ kind: 'asProbe' });
  });

  test('a permit from before the break changes nothing, whatever became of it', () => {
    const before = passOn(makeBreaker(START));
    for (const verdict of [SUCCESS, FAILURE, NEUTRAL]) {
      expect(isCurrent(OPEN, before)).toBe(false);
      expect(told(OPEN, before, verdict, DUE)).toEqual({ breaker: OPEN, transition: null });
    }
  });
});

describe('the cooldown', () => {
  test('doubles with every failed probe up to 10 minutes', () => {
    const waits = Array.from({ length: 8 }, (_, reopenCount) =>
      cooldownOf({ reopenCount, jitter: 0, retryAfterMs: null }),
    );
    expect(waits).toEqual([60_000, 120_000, 240_000, 480_000, 600_000, 600_000, 600_000, 600_000]);
    expect(cooldownOf({ reopenCount: 100_000, jitter: 0, retryAfterMs: null })).toBe(600_000);
  });

  test('is lengthened by chance, by less than a tenth', () => {
    expect(cooldownOf({ reopenCount: 0, jitter: 0.5, retryAfterMs: null })).toBe(63_000);
    expect(cooldownOf({ reopenCount: 0, jitter: 0.999_999, retryAfterMs: null })).toBe(65_999);
  });

  test('is never shorter than the Retry-After of the provider, and not longer because of a short one', () => {
    expect(cooldownOf({ reopenCount: 0, jitter: 0, retryAfterMs: 90_000 })).toBe(90_000);
    expect(cooldownOf({ reopenCount: 0, jitter: 0, retryAfterMs: 10 })).toBe(60_000);
    const asked: Verdict = { ...FAILURE, retryAfterMs: 300_000 };
    const { transition } = told(failedTimes(2), passOn(failedTimes(2)), asked);
    expect(transition?.reopensAtMs).toBe(START + 300_000);
  });
});

describe('half open', () => {
  test('one probe goes out; whoever asks meanwhile is told until when its lease lasts', () => {
    const { breaker, transition, pass } = probing(OPEN, 'a', DUE);
    expect(transition).toMatchObject({ from: 'open', to: 'halfOpen', cause: 'cooldownElapsed', epoch: 2 });
    expect(passageOf(breaker, DUE)).toEqual({ kind: 'probing', leaseEndsAtMs: DUE + 10_000 });
    expect(isCurrent(breaker, pass)).toBe(true);
  });

  test('a probe that succeeds closes it and forgets the failures', () => {
    const { breaker, pass } = probing(OPEN, 'a', DUE);
    const closed = told(breaker, pass, SUCCESS, epochMs(DUE + 5));
    expect(closed.transition).toMatchObject({ from: 'halfOpen', to: 'closed', cause: 'probeSucceeded', fails: 0 });
    expect(failedTimes(2, closed.breaker).circuit.kind).toBe('closed');
  });

  test('each probe that fails doubles the wait; after a success it begins at 60 s again', () => {
    let breaker = OPEN;
    const waits = [];
    for (let round = 0; round < 5; round += 1) {
      const dueMs = reopensAtOf(breaker) ?? START;
      const probe = probing(breaker, String(round), dueMs);
      const failed = told(probe.breaker, probe.pass, FAILURE, dueMs);
      expect(failed.transition?.cause).toBe('probeFailed');
      breaker = failed.breaker;
      waits.push((reopensAtOf(breaker) ?? 0) - dueMs);
    }
    expect(waits).toEqual([120_000, 240_000, 480_000, 600_000, 600_000]);
    const dueMs = reopensAtOf(breaker) ?? START;
    const probe = probing(breaker, 'last', dueMs);
    const healed = told(probe.breaker, probe.pass, SUCCESS, dueMs).breaker;
    expect(reopensAtOf(failedTimes(3, healed, dueMs))).toBe(dueMs + 60_000);
  });

  test('a neutral probe gives the lease back and changes no state: the next attempt probes under the same epoch', () => {
    const first = probing(OPEN, 'a', DUE);
    const returned = told(first.breaker, first.pass, NEUTRAL, DUE);
    expect(returned.transition).toBeNull();
    expect(passageOf(returned.breaker, DUE)).toEqual({ kind: 'asProbe' });
    const second = probing(returned.breaker, 'b', DUE);
    expect(second.transition).toBeNull();
    expect(second.breaker.epoch).toBe(first.breaker.epoch);
    expect(told(second.breaker, first.pass, SUCCESS, DUE)).toEqual({ breaker: second.breaker, transition: null });
  });

  test('a lost probe lapses with its lease, and the next claim gets a new epoch that the lost one cannot touch', () => {
    const lost = probing(OPEN, 'a', DUE);
    const lapsedMs = epochMs(DUE + 10_000);
    expect(passageOf(lost.breaker, epochMs(lapsedMs - 1)).kind).toBe('probing');
    expect(passageOf(lost.breaker, lapsedMs)).toEqual({ kind: 'asProbe' });
    const next = probing(lost.breaker, 'b', lapsedMs);
    expect(next.transition).toMatchObject({ from: 'halfOpen', to: 'halfOpen', cause: 'cooldownElapsed', epoch: 3 });
    for (const verdict of [SUCCESS, FAILURE, NEUTRAL]) {
      expect(told(next.breaker, lost.pass, verdict, lapsedMs)).toEqual({ breaker: next.breaker, transition: null });
    }
  });

  test('a lost probe that comes back before anybody else claims still counts', () => {
    const late = probing(OPEN, 'a', DUE);
    expect(told(late.breaker, late.pass, SUCCESS, epochMs(DUE + 60_000)).breaker.circuit.kind).toBe('closed');
  });

  test('a failure that started before the break cannot spoil a healthy probe', () => {
    const { breaker } = probing(OPEN, 'a', DUE);
    expect(told(breaker, passOn(makeBreaker(START)), FAILURE, DUE)).toEqual({ breaker, transition: null });
    expect(told(breaker, passOn(breaker), FAILURE, DUE)).toEqual({ breaker, transition: null });
  });
});

describe('by hand', () => {
  test('a reset closes it, keeps the reason, and makes every permit out there stale', () => {
    const probe = probing(OPEN, 'a', DUE);
    const reset = resetByHand(probe.breaker, 'fixed upstream', DUE);
    expect(reset.transition).toMatchObject({ from: 'halfOpen', to: 'closed', cause: 'manualReset', epoch: 3 });
    expect(reset.transition?.detail).toBe('fixed upstream');
    expect(told(reset.breaker, probe.pass, FAILURE, DUE)).toEqual({ breaker: reset.breaker, transition: null });
  });

  test('a reset of a closed one forgets its failures and is no transition', () => {
    const reset = resetByHand(failedTimes(2), null, START);
    expect(reset).toEqual({ breaker: makeBreaker(START), transition: null });
  });

  test('nobody can claim the probe of a closed breaker', () => {
    expect(() => probing(makeBreaker(START), 'a', START)).toThrow(RangeError);
  });
});

test('every change has a sentence of its own', () => {
  const of = (cause: Transition['cause'], from: Transition['from'], detail: string | null = null) =>
    describeTransition({ from, to: 'open', cause, epoch: 1, fails: 3, reopensAtMs: null, detail });
  const sentences = [
    of('failureThreshold', 'closed'),
    of('simulation', 'closed'),
    of('probeFailed', 'halfOpen'),
    of('probeSucceeded', 'halfOpen'),
    of('cooldownElapsed', 'open'),
    of('cooldownElapsed', 'halfOpen'),
    of('manualReset', 'open'),
    of('manualReset', 'open', 'fixed'),
  ];
  expect(new Set(sentences).size).toBe(sentences.length);
  expect(sentences[0]).toBe('opened after 3 failures in a row');
  expect(sentences.at(-1)).toBe('closed by hand: fixed');
});
