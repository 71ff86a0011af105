import { describe, expect, test } from 'vitest';
import { AttemptAborted } from '../../src/core/failure.ts';
import { providerKey } from '../../src/core/ids.ts';
import type { FailureMode } from '../../src/core/simulation.ts';
import { epochMs } from '../../src/core/time.ts';
import type { ProviderPort } from '../../src/ports/provider.ts';
import { makeMock } from '../../src/providers/mock.ts';
import { makeSimulator, SLOW_MS_DEFAULT } from '../../src/providers/simulator.ts';
import { makeFakeClock } from '../fakes/clock.ts';
import { callOf } from './upstream.ts';

/** A provider under simulation, and which models it was really called for. */
function underSimulation(mode: FailureMode, latencyMs: number | null = null) {
  const clock = makeFakeClock();
  const controller = new AbortController();
  const calls: string[] = [];
  const chance = { next: () => 0.5 };
  const mock = makeMock({ key: providerKey('openai'), chance, failureRate: 0.1, latencyScale: 0, clock });
  const provider: ProviderPort = {
    ...mock,
    call(call, signal) {
      calls.push(call.model.name);
      return mock.call(call, signal);
    },
  };
  const endsAtMs = epochMs(clock.now() + 60_000);
  const simulation = { mode, latencyMs, rate: 1, endsAtMs, failuresMax: null, failuresInjected: 0 };
  const play = () => makeSimulator(clock)({ provider, simulation }, callOf('openai'), controller.signal);
  return { clock, controller, calls, play };
}

describe('a simulated failure looks like the real one', () => {
  test.each([
    ['error', 'providerError', 500],
    ['rateLimit', 'throttled', 429],
    ['malformed', 'invalidResponse', 200],
    ['disconnect', 'networkError', null],
  ] as const)('%s is a %s at once, bills nothing and says that it is simulated', async (mode, kind, httpStatus) => {
    const { play, clock, calls } = underSimulation(mode);
    expect(await play()).toEqual({
      kind: 'failed',
      failure: {
        kind,
        httpStatus,
        message: expect.stringMatching(/^Simulated failure: /),
        retryAfterMs: null,
        billed: 'nothing',
        isSimulated: true,
      },
    });
    expect(clock.elapsedMs()).toBe(0);
    expect(calls).toEqual([]);
  });

  test('a latency is waited out before the failure', async () => {
    const { play, clock } = underSimulation('error', 400);
    const pending = play();
    clock.advance(400);
    expect(await pending).toMatchObject({ failure: { kind: 'providerError' } });
    expect(clock.timerCount()).toBe(0);
  });
});

describe('a simulated timeout', () => {
  test('lasts until the time limit and then counts as one', async () => {
    const { play, clock, controller } = underSimulation('timeout');
    const pending = play();
    clock.advance(1_000_000);
    controller.abort(new AttemptAborted('timedOut'));
    expect(await pending).toMatchObject({ failure: { kind: 'timedOut', isSimulated: true, billed: 'nothing' } });
  });

  test('ends by itself after the time it was given', async () => {
    const { play, clock } = underSimulation('timeout', 250);
    const pending = play();
    clock.advance(250);
    expect(await pending).toMatchObject({ failure: { kind: 'timedOut', isSimulated: true } });
  });

  test('a caller who leaves meanwhile really left: that is no simulated failure', async () => {
    const { play, controller } = underSimulation('timeout');
    const pending = play();
    controller.abort(new AttemptAborted('cancelled'));
    expect(await pending).toMatchObject({ failure: { kind: 'cancelled', isSimulated: false, billed: 'nothing' } });
  });
});

describe('a slow provider', () => {
  test('is really called after the added time, and its answer is the real one', async () => {
    const { play, clock, calls } = underSimulation('slow', 700);
    const pending = play();
    clock.advance(699);
    expect(calls).toEqual([]);
    clock.advance(1);
    expect(await pending).toMatchObject({ kind: 'answered', answer: { text: 'Mock response from openai: hello...' } });
    expect(calls).toEqual(['gpt-5.1']);
  });

  test('adds a named time when the simulation names none', async () => {
    const { play, clock } = underSimulation('slow');
    const pending = play();
    clock.advance(SLOW_MS_DEFAULT);
    expect(await pending).toMatchObject({ kind: 'answered' });
  });

  test('that exceeds the time limit is a simulated timeout, is never called and leaves no timer', async () => {
    const { play, clock, controller, calls } = underSimulation('slow', 700);
    const pending = play();
    controller.abort(new AttemptAborted('timedOut'));
    expect(await pending).toMatchObject({ failure: { kind: 'timedOut', isSimulated: true, billed: 'nothing' } });
    expect(clock.timerCount()).toBe(0);
    expect(calls).toEqual([]);
  });
});

test('a simulation whose attempt is already over plays nothing and leaves no timer', async () => {
  const { play, clock, controller } = underSimulation('error', 50);
  controller.abort(new AttemptAborted('cancelled'));
  expect(await play()).toMatchObject({ failure: { kind: 'cancelled', isSimulated: false } });
  expect(clock.timerCount()).toBe(0);
});
