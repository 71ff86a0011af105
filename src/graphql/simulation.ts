import type { ProviderKey } from '../core/ids.ts';
import { ERROR_TYPES, FeatureDisabledErrorRef, InvalidInputErrorRef, NotFoundErrorRef } from './api-error.ts';
import { builder } from './builder.ts';
import { unrecorded } from './failure-shape.ts';
import { providerOf } from './provider-shape.ts';
import { ProviderRef, SimulationRef } from './refs.ts';

/** As the contract has them. A null that a caller sends means the same as leaving the field out. */
const DEFAULTS = { mode: 'error', rate: 1, durationMs: 60_000 } as const;

const FailureModeEnum = builder.enumType('FailureMode', {
  description: 'Ways to fail.',
  values: {
    ERROR: { value: 'error', description: 'HTTP 500 from the provider.' },
    TIMEOUT: { value: 'timeout', description: 'No answer until the time limit.' },
    RATE_LIMIT: { value: 'rateLimit', description: 'HTTP 429 from the provider.' },
    MALFORMED: { value: 'malformed', description: 'An answer that cannot be parsed.' },
    DISCONNECT: { value: 'disconnect', description: 'The connection breaks in the middle of a stream.' },
    SLOW: { value: 'slow', description: 'A right answer, late.' },
  },
});

SimulationRef.implement({
  description: 'A simulated failure in force.',
  fields: (t) => ({
    mode: t.expose('mode', { type: FailureModeEnum, description: 'How it fails.' }),
    rate: t.exposeFloat('rate', { description: 'Share of calls that fail.' }),
    endsAt: t.expose('endsAtMs', { type: 'DateTime', description: 'When it ends.' }),
    failuresInjected: t.exposeInt('failuresInjected', { description: 'Calls made to fail so far.' }),
  }),
});

const SimulateFailureInput = builder.inputType('SimulateFailureInput', {
  description: 'A failure to simulate.',
  fields: (t) => ({
    providerId: t.id({ description: 'Provider by id or key.', required: true }),
    mode: t.field({ type: FailureModeEnum, description: 'How it fails.', defaultValue: DEFAULTS.mode }),
    rate: t.float({ description: 'Share of its calls that fail, 0 to 1.', defaultValue: DEFAULTS.rate }),
    duration: t.field({
      type: 'Duration',
      description: 'How long it lasts.',
      defaultValue: DEFAULTS.durationMs,
    }),
    maxFailures: t.int({ description: 'Ends after this many failed calls, if sooner.' }),
    latencyMs: t.int({ description: 'Added waiting time, for SLOW and TIMEOUT.' }),
  }),
});

const SimulateFailureSuccess = builder
  .objectRef<{ readonly kind: 'simulating'; readonly provider: ProviderKey }>('SimulateFailureSuccess')
  .implement({
    description: 'The simulation is in force on every replica.',
    fields: (t) => ({
      provider: t.field({
        type: ProviderRef,
        description: 'The provider, with its simulation.',
        resolve: ({ provider }, _args, context) => providerOf(context, provider),
      }),
    }),
  });

const SimulateFailureResult = builder.unionType('SimulateFailureResult', {
  description: 'Outcome of `simulateFailure`.',
  types: [SimulateFailureSuccess, NotFoundErrorRef, InvalidInputErrorRef, FeatureDisabledErrorRef],
  resolveType: ({ kind }) => (kind === 'simulating' ? 'SimulateFailureSuccess' : ERROR_TYPES[kind]),
});

builder.mutationField('simulateFailure', (t) =>
  t.field({
    type: SimulateFailureResult,
    description:
      'Makes a provider fail on purpose, for tests and drills. Needs scope `chaos:write` and simulations switched on.',
    extensions: { access: 'simulate' },
    args: {
      input: t.arg({
        type: SimulateFailureInput,
        description: 'Which provider fails, how and for how long.',
        required: true,
      }),
    },
    resolve: async (_root, { input }, { gateway, caller, surveys }) => {
      const wish = {
        provider: input.providerId,
        mode: input.mode ?? DEFAULTS.mode,
        rate: input.rate ?? DEFAULTS.rate,
        durationMs: input.duration ?? DEFAULTS.durationMs,
        failuresMax: input.maxFailures ?? null,
        latencyMs: input.latencyMs ?? null,
      };
      const answer = await gateway.simulateFailure(wish, caller);
      surveys.forget();
      return answer.kind === 'simulating' ? answer : unrecorded(answer);
    },
  }),
);

const StopSimulationInput = builder.inputType('StopSimulationInput', {
  description: 'Simulations to stop.',
  fields: (t) => ({ providerId: t.id({ description: 'Provider by id or key; all of them when empty.' }) }),
});

const StopSimulationSuccess = builder
  .objectRef<{ readonly kind: 'stopped'; readonly providers: readonly ProviderKey[] }>('StopSimulationSuccess')
  .implement({
    description: 'The simulations ended.',
    fields: (t) => ({
      providers: t.field({
        type: [ProviderRef],
        description: 'The providers that were healed.',
        resolve: ({ providers }, _args, context) => providers.map((provider) => providerOf(context, provider)),
      }),
    }),
  });

const StopSimulationResult = builder.unionType('StopSimulationResult', {
  description: 'Outcome of `stopSimulation`.',
  types: [StopSimulationSuccess, NotFoundErrorRef],
  resolveType: ({ kind }) => (kind === 'stopped' ? 'StopSimulationSuccess' : 'NotFoundError'),
});

builder.mutationField('stopSimulation', (t) =>
  t.field({
    type: StopSimulationResult,
    description: 'Ends simulated failures early.',
    extensions: { access: 'simulate' },
    args: {
      input: t.arg({
        type: StopSimulationInput,
        description: 'Which provider to heal; all of them when empty.',
        required: true,
      }),
    },
    resolve: async (_root, { input }, { gateway, caller, surveys }) => {
      const answer = await gateway.stopSimulation(input.providerId ?? null, caller);
      surveys.forget();
      return answer.kind === 'stopped' ? answer : unrecorded(answer);
    },
  }),
);
