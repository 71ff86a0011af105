import { EventEmitter } from 'node:events';
import type { MockTimers } from 'node:test';
import { BrokenCircuitError, CircuitState, ConsecutiveBreaker, circuitBreaker, handleWhen } from 'cockatiel';
import CircuitBreaker from 'opossum';
import type { CircuitKind } from '../../src/core/breaker.ts';
import type { ReportCommand, Subject, SubjectAttempt } from './drive.ts';
import type { Library } from './library-names.ts';

/** The same rules as ours, as far as the makers offer them. */
const RULES = { failures: 3, cooldownMs: 60_000 } as const;

export function makeLibrarySubject(library: Library, timers: MockTimers): Subject {
  switch (library) {
    case 'cockatiel':
      return makeCockatiel(timers);
    case 'opossum':
      return makeOpossum(timers);
    default:
      return library satisfies never;
  }
}

/** An outcome that is nobody's fault: both makers take it for a success where it arrives half open. */
class Neutral extends Error {}

const COCKATIEL_STATES: Readonly<Record<CircuitState, CircuitKind>> = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.HalfOpen]: 'halfOpen',
  [CircuitState.Isolated]: 'open',
};

function makeCockatiel(timers: MockTimers): Subject {
  const policy = circuitBreaker(
    handleWhen((error) => !(error instanceof Neutral)),
    { halfOpenAfter: RULES.cooldownMs, breaker: new ConsecutiveBreaker(RULES.failures) },
  );
  return {
    state: () => COCKATIEL_STATES[policy.state],
    async admit(_leaseMs, out) {
      const call = pending();
      policy.execute(() => call.start(out)).catch(ignore);
      await settled();
    },
    advance: (ms) => timers.tick(ms),
    // The only way to close it by hand.
    reset: () => policy.isolate().dispose(),
  };
}

function makeOpossum(timers: MockTimers): Subject {
  const rotation = new EventEmitter();
  const breaker = new CircuitBreaker((call: Pending, out: (attempt: SubjectAttempt) => void) => call.start(out), {
    timeout: false,
    resetTimeout: RULES.cooldownMs,
    // It has no rule for failures in a row: this is the nearest.
    volumeThreshold: RULES.failures,
    errorThresholdPercentage: 50,
    errorFilter: (error) => error instanceof Neutral,
    rollingPercentilesEnabled: false,
    enableSnapshots: false,
    rotateBucketController: rotation,
  });
  return {
    state: () => (breaker.halfOpen ? 'halfOpen' : breaker.opened ? 'open' : 'closed'),
    async admit(_leaseMs, out) {
      breaker.fire(pending(), out).catch(ignore);
      await settled();
    },
    advance(ms) {
      timers.tick(ms);
      // Ten buckets of a second: after ten all are empty.
      for (let second = 1; second <= Math.min(ms / 1_000, 10); second += 1) rotation.emit('rotate');
    },
    reset: () => breaker.close(),
  };
}

/** A call that ends when its attempt reports. */
interface Pending {
  start(out: (attempt: SubjectAttempt) => void): Promise<string>;
}

function pending(): Pending {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const report = async ({ verdict }: ReportCommand) => {
    if (verdict === 'success') resolve('fine');
    else reject(verdict === 'neutral' ? new Neutral('neutral') : new Error('failed'));
    await settled();
  };
  return {
    start(out) {
      out({ report });
      return promise;
    },
  };
}

/** Refusals and failures are what is wanted here. */
function ignore(error: unknown): void {
  if (error instanceof BrokenCircuitError) return;
}

/** Lets all promises run that wait for nothing but one another. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
