import { abortFailure, type Failure } from '../core/failure.ts';
import type { FailureMode } from '../core/simulation.ts';
import type { Clock } from '../ports/clock.ts';
import type { ProviderResult } from '../ports/provider.ts';
import type { SimulatorPort } from '../ports/simulator.ts';
import { pause } from './pause.ts';

/** How much later a `slow` provider answers when the simulation names no time. */
export const SLOW_MS_DEFAULT = 3_000;

/** What each mode waits when the simulation names no time. Null: until the attempt's signal aborts. */
const WAITS_MS = {
  error: 0,
  timeout: null,
  rateLimit: 0,
  malformed: 0,
  disconnect: 0,
  slow: SLOW_MS_DEFAULT,
} as const satisfies Record<FailureMode, number | null>;

type Fault = Pick<Failure, 'kind' | 'httpStatus' | 'message'>;

const FAULTS: Readonly<Record<Exclude<FailureMode, 'slow'>, Fault>> = {
  error: { kind: 'providerError', httpStatus: 500, message: 'Simulated failure: HTTP 500.' },
  timeout: { kind: 'timedOut', httpStatus: null, message: 'Simulated failure: no answer before the time limit.' },
  rateLimit: { kind: 'throttled', httpStatus: 429, message: 'Simulated failure: HTTP 429, too many requests.' },
  malformed: { kind: 'invalidResponse', httpStatus: 200, message: 'Simulated failure: the answer cannot be parsed.' },
  disconnect: { kind: 'networkError', httpStatus: null, message: 'Simulated failure: the connection broke.' },
};

/** Fails without calling the provider, so nothing is billed. A `timeout` that names a time ends when it has passed. */
export function makeSimulator(clock: Clock): SimulatorPort {
  return async ({ provider, simulation }, call, signal, onDelta) => {
    const { mode, latencyMs } = simulation;
    const waited = await pause({ clock, ms: latencyMs ?? WAITS_MS[mode], signal });
    if (waited === 'aborted') return failed(abortOf(signal));
    return mode === 'slow' ? provider.call(call, signal, onDelta) : failed(simulated(FAULTS[mode]));
  };
}

/** A wait that our own time limit ended is a simulated timeout; a caller who left really left. */
function abortOf(signal: AbortSignal): Failure {
  const failure = abortFailure(signal, { billed: 'nothing' });
  return failure.kind === 'timedOut' ? simulated(FAULTS.timeout) : failure;
}

function simulated(fault: Fault): Failure {
  return { ...fault, retryAfterMs: null, billed: 'nothing', isSimulated: true };
}

function failed(failure: Failure): ProviderResult {
  return { kind: 'failed', failure };
}
