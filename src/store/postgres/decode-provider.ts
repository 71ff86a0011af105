import { type Breaker, CAUSES, type Circuit, type CircuitKind } from '../../core/breaker.ts';
import {
  decodeBoolean,
  decodeFields,
  decodeInstant,
  decodeNullable,
  decodeNumber,
  decodeOneOf,
  decodeText,
  type Fields,
} from '../../core/decode.ts';
import { holdId, providerKey, replicaId } from '../../core/ids.ts';
import type { ProviderState } from '../../core/provider-state.ts';
import { FAILURE_MODES, type Simulation } from '../../core/simulation.ts';
import type { BreakerEvent } from '../../ports/breaker-events.ts';

// Reads what the acts of drizzle/ answer: provider_json, event_json and simulation_json.

const CIRCUITS: readonly CircuitKind[] = ['closed', 'open', 'halfOpen'];

export function decodeProviderState(value: unknown): ProviderState {
  const fields = decodeFields(value);
  const setAsideUntilMs = decodeNullable(fields.setAsideUntilMs, decodeInstant);
  return {
    provider: providerKey(decodeText(fields.provider)),
    breaker: decodeBreaker(fields),
    isEnabled: decodeBoolean(fields.isEnabled),
    throttledUntilMs: decodeNullable(fields.throttledUntilMs, decodeInstant),
    setAside: setAsideUntilMs === null ? null : { untilMs: setAsideUntilMs, detail: decodeText(fields.setAsideDetail) },
    simulation: decodeNullable(fields.simulation, decodeSimulation),
    slotFreeAtMs: decodeNullable(fields.slotFreeAtMs, decodeInstant),
  };
}

function decodeBreaker(fields: Fields): Breaker {
  return {
    epoch: decodeNumber(fields.epoch),
    circuit: decodeCircuit(fields),
    reopenCount: decodeNumber(fields.reopenCount),
    openedAtMs: decodeNullable(fields.openedAtMs, decodeInstant),
    changedAtMs: decodeInstant(fields.changedAtMs),
  };
}

function decodeCircuit(fields: Fields): Circuit {
  const kind = decodeOneOf(CIRCUITS, fields.state);
  const fails = decodeNumber(fields.fails);
  switch (kind) {
    case 'closed':
      return { kind, fails, streakStartedAtMs: decodeNullable(fields.streakStartedAtMs, decodeInstant) };
    case 'open':
      return { kind, fails, reopensAtMs: decodeInstant(fields.openedUntilMs) };
    case 'halfOpen': {
      const id = decodeNullable(fields.probeId, decodeText);
      const probe = id === null ? null : { id: holdId(id), leaseEndsAtMs: decodeInstant(fields.probeUntilMs) };
      return { kind, fails, probe };
    }
    default:
      return kind satisfies never;
  }
}

export function decodeSimulation(value: unknown): Simulation {
  const fields = decodeFields(value);
  return {
    mode: decodeOneOf(FAILURE_MODES, fields.mode),
    rate: decodeNumber(fields.rate),
    endsAtMs: decodeInstant(fields.endsAtMs),
    failuresMax: decodeNullable(fields.failuresMax, decodeNumber),
    latencyMs: decodeNullable(fields.latencyMs, decodeNumber),
    failuresInjected: decodeNumber(fields.failuresInjected),
  };
}

export function decodeEvent(value: unknown): BreakerEvent {
  const fields = decodeFields(value);
  return {
    sequence: decodeNumber(fields.sequence),
    provider: providerKey(decodeText(fields.provider)),
    transition: {
      from: decodeOneOf(CIRCUITS, fields.from),
      to: decodeOneOf(CIRCUITS, fields.to),
      cause: decodeOneOf(CAUSES, fields.cause),
      epoch: decodeNumber(fields.epoch),
      fails: decodeNumber(fields.fails),
      reopensAtMs: decodeNullable(fields.reopensAtMs, decodeInstant),
      detail: decodeNullable(fields.detail, decodeText),
    },
    occurredAtMs: decodeInstant(fields.occurredAtMs),
    replica: replicaId(decodeText(fields.replica)),
  };
}
