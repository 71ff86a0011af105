import { expect, test } from 'vitest';
import { type Circuit, makeBreaker } from '../../src/core/breaker.ts';
import { healthOf } from '../../src/core/health.ts';
import { holdId, providerKey } from '../../src/core/ids.ts';
import type { ProviderState } from '../../src/core/provider-state.ts';
import { epochMs, later } from '../../src/core/time.ts';

const NOW = epochMs(1_000_000);
const AHEAD = later(NOW, 1);
const PAST = NOW;

const SOUND: ProviderState = {
  provider: providerKey('openai'),
  breaker: makeBreaker(NOW),
  isEnabled: true,
  throttledUntilMs: null,
  setAside: null,
  simulation: null,
  slotFreeAtMs: null,
};

function withCircuit(circuit: Circuit): ProviderState {
  return { ...SOUND, breaker: { ...SOUND.breaker, circuit } };
}

const SIMULATION = { mode: 'error', rate: 1, failuresMax: null, latencyMs: null, failuresInjected: 0 } as const;

test.each([
  ['healthy', 'nothing is wrong', SOUND],
  ['healthy', 'a full window is no trouble', { ...SOUND, slotFreeAtMs: AHEAD }],
  ['healthy', 'what is over is over', { ...SOUND, throttledUntilMs: PAST, setAside: { untilMs: PAST, detail: '401' } }],
  ['healthy', 'a simulation that has ended', { ...SOUND, simulation: { ...SIMULATION, endsAtMs: PAST } }],
  ['degraded', 'one failure', withCircuit({ kind: 'closed', fails: 1, streakStartedAtMs: NOW })],
  ['degraded', 'throttled', { ...SOUND, throttledUntilMs: AHEAD }],
  ['degraded', 'a simulation in force', { ...SOUND, simulation: { ...SIMULATION, endsAtMs: AHEAD } }],
  [
    'degraded',
    'half open',
    withCircuit({ kind: 'halfOpen', fails: 3, probe: { id: holdId('h'), leaseEndsAtMs: AHEAD } }),
  ],
  ['degraded', 'open, and a probe is due', withCircuit({ kind: 'open', fails: 3, reopensAtMs: NOW })],
  ['down', 'open', withCircuit({ kind: 'open', fails: 3, reopensAtMs: AHEAD })],
  ['disabled', 'switched off', { ...SOUND, isEnabled: false }],
  ['disabled', 'its credentials are refused', { ...SOUND, setAside: { untilMs: AHEAD, detail: '401' } }],
  [
    'disabled',
    'switched off while open',
    { ...withCircuit({ kind: 'open', fails: 3, reopensAtMs: AHEAD }), isEnabled: false },
  ],
] as const)('a provider is %s when: %s', (health, _why, state) => {
  expect(healthOf(state, NOW)).toBe(health);
});
