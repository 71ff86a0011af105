import { equal } from 'node:assert/strict';
import {
  type Breaker,
  type BreakerPass,
  claimProbe,
  makeBreaker,
  passageOf,
  reportTo,
  resetByHand,
  type Verdict,
} from '../../src/core/breaker.ts';
import { holdId } from '../../src/core/ids.ts';
import { epochMs } from '../../src/core/time.ts';
import { Model } from '../../test/support/breaker-model.ts';
import type { ReportCommand, Subject } from './drive.ts';

const START_MS = 1_000_000;

type Report = typeof reportTo;

/** The core without its epochs: whoever reports is believed to speak of the present state. */
export const reportWithoutEpochs: Report = (breaker, report, nowMs) => {
  const { circuit, epoch } = breaker;
  const probeId = circuit.kind === 'halfOpen' ? (circuit.probe?.id ?? null) : null;
  return reportTo(breaker, { ...report, pass: { ...report.pass, epoch, probeId } }, nowMs);
};

/** The breaker of `src/core`, step by step beside the model that the tests have of it: where they differ, it throws. */
export function makeCoreSubject(report: Report): Subject {
  const model = new Model();
  let breaker: Breaker = makeBreaker(epochMs(START_MS));
  let nowMs = START_MS;
  let made = 0;
  const become = (next: Breaker) => {
    breaker = next;
    const { kind, fails } = breaker.circuit;
    equal(`${kind} ${breaker.epoch} ${fails}`, `${model.state} ${model.epoch} ${model.fails}`);
  };
  const reporter = (pass: BreakerPass) => ({
    report(of: ReportCommand) {
      model.report(of, pass, nowMs);
      become(report(breaker, { pass, verdict: verdictOf(of), jitter: of.jitter }, epochMs(nowMs)).breaker);
    },
  });
  return {
    state: () => breaker.circuit.kind,
    admit(leaseMs, out) {
      const startedAtMs = epochMs(nowMs);
      const passage = passageOf(breaker, startedAtMs);
      equal(passage.kind === 'open' || passage.kind === 'probing' ? 'no' : passage.kind, model.mayPass(nowMs));
      if (passage.kind === 'through') out(reporter({ epoch: breaker.epoch, probeId: null, startedAtMs }));
      if (passage.kind !== 'asProbe') return;
      made += 1;
      const id = holdId(String(made));
      const leaseEndsAtMs = epochMs(nowMs + leaseMs);
      model.claim(id, leaseEndsAtMs);
      become(claimProbe(breaker, { id, leaseEndsAtMs }, startedAtMs).breaker);
      out(reporter({ epoch: breaker.epoch, probeId: id, startedAtMs }));
    },
    advance(ms) {
      nowMs += ms;
    },
    reset() {
      model.reset();
      become(resetByHand(breaker, null, epochMs(nowMs)).breaker);
    },
  };
}

/** A verdict as the core and the store take it. */
export function verdictOf({ verdict, retryAfterMs, isSimulated }: ReportCommand): Verdict {
  return verdict === 'failure' ? { kind: verdict, retryAfterMs, isSimulated } : { kind: verdict };
}
