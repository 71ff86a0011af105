import { equal } from 'node:assert/strict';
import { ANONYMOUS, holdId, type ProviderKey, requestId } from '../../src/core/ids.ts';
import { picoUsd, ZERO_USD } from '../../src/core/money.ts';
import type { Permit } from '../../src/ports/admission.ts';
import type { Store } from '../../src/ports/store.ts';
import { newUuid } from '../../src/wiring/system.ts';
import { Model } from '../../test/support/breaker-model.ts';
import type { DatabaseClock } from '../support/database-clock.ts';
import { verdictOf } from './core-subject.ts';
import type { ReportCommand, Subject } from './drive.ts';

/** The store gives a probe so much longer than its attempt. */
const LEASE_MARGIN_MS = 5_000;

/** The same breaker as PostgreSQL keeps it, driven through the store, beside the same model. */
export function makeStoreSubject(of: {
  readonly store: Store;
  readonly provider: ProviderKey;
  readonly clock: DatabaseClock;
  readonly startMs: number;
}): Subject {
  const { store, provider, clock } = of;
  const model = new Model();
  let nowMs = of.startMs;
  const look = async () => {
    const { providers } = await store.look({ account: ANONYMOUS, also: [] });
    const found = providers.find((known) => known.provider === provider);
    if (found === undefined) throw new RangeError(`the store knows no ${provider}`);
    return found.breaker;
  };
  const compare = async () => {
    const { circuit, epoch } = await look();
    equal(`${circuit.kind} ${epoch} ${circuit.fails}`, `${model.state} ${model.epoch} ${model.fails}`);
  };
  const reporter = (permit: Permit, epoch: number) => ({
    async report(command: ReportCommand) {
      const probeId = permit.isProbe ? permit.holdId : null;
      model.report(command, { epoch, probeId, startedAtMs: permit.admittedAtMs }, nowMs);
      await store.settle({
        holdId: permit.holdId,
        charge: { kind: 'nothing' },
        verdict: verdictOf(command),
        jitter: command.jitter,
        throttledForMs: null,
        setAside: null,
      });
      await compare();
    },
  });
  return {
    state: async () => (await look()).circuit.kind,
    async admit(leaseMs, out) {
      const expected = model.mayPass(nowMs);
      const id = holdId(newUuid());
      const answer = await store.admit({
        requestId: requestId(newUuid()),
        attempt: 1,
        holdId: id,
        account: ANONYMOUS,
        also: [],
        defaultCap: null,
        ceiling: null,
        candidates: [{ provider, model: 'any', bound: FREE }],
        attemptMs: leaseMs - LEASE_MARGIN_MS,
      });
      const passed = answer.kind === 'refused' ? 'no' : answer.permit.isProbe ? 'asProbe' : 'through';
      equal(passed, expected);
      if (passed === 'asProbe') model.claim(id, nowMs + leaseMs);
      if (answer.kind === 'admitted') out(reporter(answer.permit, model.epoch));
    },
    async advance(ms) {
      nowMs += ms;
      await clock.freezeAt(nowMs);
    },
    async reset() {
      model.reset();
      await store.resetBreaker(provider, { name: 'arena', reason: null });
      await compare();
    },
  };
}

const FREE = { input: ZERO_USD, perOutputToken: picoUsd(0n), outputTokensMax: 1, outputTokensMin: 1 } as const;
