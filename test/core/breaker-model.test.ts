import { deepEqual, equal } from 'node:assert/strict';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Breaker,
  type BreakerChange,
  type BreakerPass,
  claimProbe,
  makeBreaker,
  passageOf,
  reportTo,
  resetByHand,
  type Transition,
  type Verdict,
} from '../../src/core/breaker.ts';
import { holdId } from '../../src/core/ids.ts';
import { epochMs } from '../../src/core/time.ts';
import { type Command, Model } from '../support/breaker-model.ts';

const START = 1_000_000;

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('admit'), leaseMs: fc.constantFrom(5_000, 20_000) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('report'),
      attempt: fc.constantFrom(0, 0, 0, 1, 2, 5),
      verdict: fc.constantFrom('success', 'success', 'failure', 'failure', 'failure', 'failure', 'neutral'),
      retryAfterMs: fc.option(fc.constantFrom(10, 90_000, 600_000), { freq: 4 }),
      isSimulated: fc.boolean(),
      jitter: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('advance'),
      ms: fc.constantFrom(0, 1, 4_000, 5_000, 21_000, 59_999, 60_000, 66_000, 66_000, 132_000, 660_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reset') }) },
) as fc.Arbitrary<Command>;

const commands = fc.array(command, { minLength: 40, maxLength: 80 });

/** The core's breaker, the model, and every attempt that is out. */
class Run {
  readonly model = new Model();
  breaker: Breaker = makeBreaker(epochMs(START));
  now = START;
  out: { readonly pass: BreakerPass; readonly leaseUntil: number }[] = [];
  readonly transitions: Transition[] = [];
  private made = 0;

  step(next: Command): void {
    const before = this.breaker;
    const change = this.perform(next);
    this.breaker = change.breaker;
    const { transition } = change;
    if (transition !== null) this.transitions.push(transition);

    equal(
      this.breaker.epoch - before.epoch,
      transition === null ? 0 : 1,
      'the epoch grows by one exactly at a transition',
    );
    if (transition !== null) {
      equal(transition.from, before.circuit.kind);
      equal(transition.to, this.breaker.circuit.kind);
      equal(transition.epoch, this.breaker.epoch);
    }
    if (transition?.to === 'open') equal('verdict' in next && next.verdict, 'failure', 'only a failure opens');
    this.expectAsModel();
  }

  private perform(next: Command): BreakerChange {
    switch (next.kind) {
      case 'advance':
        this.now += next.ms;
        return { breaker: this.breaker, transition: null };
      case 'reset':
        this.model.reset();
        return resetByHand(this.breaker, null, epochMs(this.now));
      case 'admit':
        return this.admit(next.leaseMs);
      case 'report':
        return this.report(next);
      default:
        return next satisfies never;
    }
  }

  private admit(leaseMs: number): BreakerChange {
    const passage = passageOf(this.breaker, epochMs(this.now));
    const expected = this.model.mayPass(this.now);
    equal(passage.kind === 'open' || passage.kind === 'probing' ? 'no' : passage.kind, expected);
    this.made += 1;
    const id = String(this.made);
    const startedAtMs = epochMs(this.now);
    if (passage.kind === 'through') {
      this.out.push({ pass: { epoch: this.breaker.epoch, probeId: null, startedAtMs }, leaseUntil: 0 });
    }
    if (passage.kind !== 'asProbe') return { breaker: this.breaker, transition: null };

    const live = this.out.filter(
      ({ pass, leaseUntil }) => pass.probeId !== null && pass.epoch === this.breaker.epoch && leaseUntil > this.now,
    );
    equal(live.length, 0, 'never two live probes');
    const leaseUntil = this.now + leaseMs;
    const change = claimProbe(this.breaker, { id: holdId(id), leaseEndsAtMs: epochMs(leaseUntil) }, startedAtMs);
    this.model.claim(id, leaseUntil);
    this.out.push({ pass: { epoch: change.breaker.epoch, probeId: holdId(id), startedAtMs }, leaseUntil });
    return change;
  }

  private report(next: Extract<Command, { kind: 'report' }>): BreakerChange {
    const place = this.out.length - 1 - next.attempt;
    const attempt = this.out[place];
    if (attempt === undefined) return { breaker: this.breaker, transition: null };
    this.out = this.out.toSpliced(place, 1);
    const { retryAfterMs, isSimulated, jitter } = next;
    const verdict: Verdict =
      next.verdict === 'failure' ? { kind: 'failure', retryAfterMs, isSimulated } : { kind: next.verdict };
    this.model.report(next, attempt.pass, this.now);
    const change = reportTo(this.breaker, { pass: attempt.pass, verdict, jitter }, epochMs(this.now));
    const isStale = attempt.pass.epoch !== this.breaker.epoch;
    if (isStale) deepEqual(change, { breaker: this.breaker, transition: null });
    return change;
  }

  private expectAsModel(): void {
    const { circuit, epoch } = this.breaker;
    const { model } = this;
    equal(`${circuit.kind} ${epoch} ${circuit.fails}`, `${model.state} ${model.epoch} ${model.fails}`);
    if (circuit.kind === 'open') equal(circuit.reopensAtMs, model.opensUntil);
    if (circuit.kind === 'halfOpen') equal(circuit.probe?.id ?? '', model.prober);
  }
}

test('whatever the order of attempts, reports, waits and resets, the breaker does what the promises say', () => {
  const met = new Set<string>();
  fc.assert(
    fc.property(commands, (sequence) => {
      const run = new Run();
      for (const next of sequence) run.step(next);
      const { transitions } = run;
      for (const [place, transition] of transitions.entries()) {
        met.add(`${transition.from}-${transition.to}-${transition.cause}`);
        equal(transition.from, place === 0 ? 'closed' : transitions[place - 1]?.to, 'transitions form one path');
      }
    }),
    { numRuns: 2_000 },
  );
  // The sequences are worth something: they meet every change there is.
  expect([...met].toSorted()).toEqual([
    'closed-open-failureThreshold',
    'closed-open-simulation',
    'halfOpen-closed-manualReset',
    'halfOpen-closed-probeSucceeded',
    'halfOpen-halfOpen-cooldownElapsed',
    'halfOpen-open-probeFailed',
    'halfOpen-open-simulation',
    'open-closed-manualReset',
    'open-halfOpen-cooldownElapsed',
  ]);
});

test('closed and healthy stays exactly as it is under any number of successes and neutral endings', () => {
  const verdicts = fc.array(fc.constantFrom<Verdict>({ kind: 'success' }, { kind: 'neutral' }), { maxLength: 50 });
  fc.assert(
    fc.property(verdicts, fc.integer({ min: -1_000, max: 1_000 }), (list, startedAgoMs) => {
      const healthy = makeBreaker(epochMs(START));
      const pass = { epoch: 0, probeId: null, startedAtMs: epochMs(START - startedAgoMs) };
      const after = list.reduce(
        (breaker, verdict) => reportTo(breaker, { pass, verdict, jitter: 0.5 }, epochMs(START)).breaker,
        healthy,
      );
      deepEqual(after, healthy);
    }),
    { numRuns: 2_000 },
  );
});

test('without three counted failures it never opens, whatever else happens', () => {
  fc.assert(
    fc.property(commands, (sequence) => {
      const run = new Run();
      let failures = 0;
      for (const next of sequence) {
        if (next.kind === 'report' && next.verdict === 'failure') {
          if (failures === 2) continue;
          failures += 1;
        }
        run.step(next);
      }
      equal(run.breaker.epoch, 0);
      equal(run.breaker.openedAtMs, null);
    }),
    { numRuns: 2_000 },
  );
});
