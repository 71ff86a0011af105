import { type Health, healthOf } from '../core/health.ts';
import type { ProviderKey } from '../core/ids.ts';
import { bareKey } from '../core/ids.ts';
import { simulationOf } from '../core/provider-state.ts';
import { findProvider } from '../core/registry.ts';
import { type Caller, may } from '../gateway/caller.ts';
import { NotFoundErrorRef } from './api-error.ts';
import { builder } from './builder.ts';
import { unrecorded } from './failure-shape.ts';
import { providerGlobalId } from './global-id.ts';
import { providerOf, sightOf, specOf } from './provider-shape.ts';
import { BreakerRef, MetricSetRef, ModelRef, NodeRef, ProviderRef, RateLimitRef, SimulationRef } from './refs.ts';
import type { Sight } from './survey-desk.ts';
import { parseReason } from './text.ts';
import { parseWindow, TimeWindowInput } from './window.ts';
import { CategoryEnum } from './words.ts';

const STATS_WINDOW = { last: 900_000 } as const;

const ProviderKindEnum = builder.enumType('ProviderKind', {
  description: 'Protocols the gateway can speak to a provider.',
  values: {
    OPENAI: { value: 'openai', description: 'OpenAI chat completions.' },
    ANTHROPIC: { value: 'anthropic', description: 'Anthropic messages.' },
    GEMINI: { value: 'gemini', description: 'Google Gemini generateContent.' },
    OPENAI_COMPATIBLE: { value: 'openaiCompatible', description: 'Any endpoint that follows OpenAI chat completions.' },
    MOCK: { value: 'mock', description: 'Built-in deterministic mock.' },
  },
});

const ProviderHealthEnum = builder.enumType('ProviderHealth', {
  description: "One word for a provider's state.",
  values: {
    HEALTHY: { value: 'healthy', description: 'Answering well.' },
    DEGRADED: { value: 'degraded', description: 'Answering, with failures or slowly, or half open.' },
    DOWN: { value: 'down', description: 'Breaker open.' },
    DISABLED: { value: 'disabled', description: 'Switched off.' },
  },
});

ProviderRef.implement({ description: 'A configured connection to a model provider.', interfaces: [NodeRef] });

builder.objectFields(ProviderRef, (t) => ({
  id: t.id({ description: 'Global id, `prov_` and the key.', resolve: ({ key }) => providerGlobalId(key) }),
  key: t.exposeString('key', { description: 'Short name from the configuration, such as `openai`.' }),
  displayName: t.string({
    description: 'Name for people.',
    resolve: ({ key, spec }) => spec?.displayName ?? key,
  }),
  kind: t.field({
    type: ProviderKindEnum,
    description: 'Which protocol it speaks.',
    resolve: (provider) => specOf(provider).kind,
  }),
  enabled: t.boolean({
    description: 'Whether routing may use it.',
    resolve: async (provider, _args, context) => (await sightOf(provider, context))?.survey.state.isEnabled ?? false,
  }),
  health: t.field({
    type: ProviderHealthEnum,
    description: 'One word for its present state.',
    resolve: async (provider, _args, context) => healthWord(await sightOf(provider, context)),
  }),
  breaker: t.field({
    type: BreakerRef,
    description: 'Its circuit breaker.',
    resolve: (provider, _args, context) => context.surveys.look(specOf(provider).key),
  }),
  rateLimit: t.field({
    type: RateLimitRef,
    description: 'Its rolling rate limit, across all replicas.',
    resolve: async (provider, _args, context) => {
      const limit = specOf(provider).requestsPerMinute;
      const { survey } = await context.surveys.look(provider.key);
      const freeAtMs = survey.state.slotFreeAtMs;
      if (maySeeUse(context.caller)) return { limit, used: survey.slotsUsed, freeAtMs };
      return { limit, used: freeAtMs === null ? 0 : limit, freeAtMs };
    },
  }),
}));

/** How much of a provider's limit is used tells what others send: a key without leave is told only whether anything is left. */
function maySeeUse(caller: Caller): boolean {
  return may(caller, 'requests:read-all') || may(caller, 'providers:admin');
}

builder.objectFields(ProviderRef, (t) => ({
  models: t.field({
    type: [ModelRef],
    description: 'Its models.',
    resolve: ({ spec }) => (spec === null ? [] : spec.models.map((model) => ({ provider: spec, model }))),
  }),
  specialties: t.field({
    type: [CategoryEnum],
    description: 'Prompt categories it is good at.',
    resolve: ({ spec }) => spec?.specialties ?? [],
  }),
  stats: t.field({
    type: MetricSetRef,
    description: 'Numbers over a window.',
    args: {
      window: t.arg({ type: TimeWindowInput, description: 'The window to cover.', defaultValue: STATS_WINDOW }),
    },
    resolve: ({ key }, { window }, { gateway, caller }) =>
      gateway.statsOf(key, parseWindow(window ?? STATS_WINDOW, gateway), caller),
  }),
  simulation: t.field({
    type: SimulationRef,
    description: 'The simulated failure in force, if any.',
    nullable: true,
    resolve: async (provider, _args, context) => {
      const sight = await sightOf(provider, context);
      return sight === null ? null : simulationOf(sight.survey.state, sight.nowMs);
    },
  }),
}));

/** A provider that left the registry takes no requests, as if it were switched off. */
function healthWord(sight: Sight | null): Health {
  return sight === null ? 'disabled' : healthOf(sight.survey.state, sight.nowMs);
}

const ProviderFilterInput = builder.inputType('ProviderFilter', {
  description: 'Keeps only some providers.',
  fields: (t) => ({
    health: t.field({ type: [ProviderHealthEnum], description: 'In one of these states.' }),
    kind: t.field({ type: [ProviderKindEnum], description: 'Of one of these kinds.' }),
    enabled: t.boolean({ description: 'Switched on or off.' }),
  }),
});

builder.queryField('providers', (t) =>
  t.field({
    type: [ProviderRef],
    description: 'All configured providers with their live health. The registry is small, so this is a plain list.',
    extensions: { access: 'any key' },
    args: { filter: t.arg({ type: ProviderFilterInput, description: 'Keeps only the providers that match.' }) },
    resolve: async (_root, { filter }, context) => {
      const { health = null, kind = null, enabled = null } = filter ?? {};
      const specs = context.gateway.registry.providers.filter((spec) => kind === null || kind.includes(spec.kind));
      const providers = specs.map((spec) => ({ key: spec.key, spec }));
      if (health === null && enabled === null) return providers;
      const seen = await Promise.all(specs.map((spec) => context.surveys.look(spec.key)));
      return providers.filter((_provider, index) => {
        const sight = seen[index] ?? null;
        return (
          (health === null || health.includes(healthWord(sight))) &&
          (enabled === null || enabled === sight?.survey.state.isEnabled)
        );
      });
    },
  }),
);

builder.queryField('provider', (t) =>
  t.field({
    type: ProviderRef,
    description: 'One provider by global id (`prov_openai`) or bare key (`openai`).',
    nullable: true,
    extensions: { access: 'any key' },
    args: { id: t.arg.id({ description: 'Global id or key.', required: true }) },
    resolve: (_root, { id }, { gateway }) => {
      const spec = findProvider(gateway.registry, bareKey(id));
      return spec === undefined ? null : { key: spec.key, spec };
    },
  }),
);

const SetProviderEnabledInput = builder.inputType('SetProviderEnabledInput', {
  description: 'A provider to switch on or off.',
  fields: (t) => ({
    providerId: t.id({ description: 'Provider by id or key.', required: true }),
    enabled: t.boolean({ description: 'The wanted state.', required: true }),
    reason: t.string({ description: 'Why, for the audit log.' }),
  }),
});

const SetProviderEnabledSuccess = builder
  .objectRef<{ readonly kind: 'set'; readonly provider: ProviderKey }>('SetProviderEnabledSuccess')
  .implement({
    description: 'The provider is in the wanted state on every replica.',
    fields: (t) => ({
      provider: t.field({
        type: ProviderRef,
        description: 'The provider.',
        resolve: ({ provider }, _args, context) => providerOf(context, provider),
      }),
    }),
  });

const SetProviderEnabledResult = builder.unionType('SetProviderEnabledResult', {
  description: 'Outcome of `setProviderEnabled`.',
  types: [SetProviderEnabledSuccess, NotFoundErrorRef],
  resolveType: ({ kind }) => (kind === 'set' ? 'SetProviderEnabledSuccess' : 'NotFoundError'),
});

builder.mutationField('setProviderEnabled', (t) =>
  t.field({
    type: SetProviderEnabledResult,
    description: 'Takes a provider out of routing, or puts it back, on every replica. Needs scope `providers:write`.',
    extensions: { access: 'providers:admin' },
    args: {
      input: t.arg({
        type: SetProviderEnabledInput,
        description: 'Which provider, and the wanted state.',
        required: true,
      }),
    },
    resolve: async (_root, { input }, { gateway, caller, surveys }) => {
      const { providerId: provider, enabled: isEnabled } = input;
      const answer = await gateway.setProviderEnabled(
        { provider, isEnabled, reason: parseReason(input.reason) },
        caller,
      );
      surveys.forget();
      return answer.kind === 'set' ? answer : unrecorded(answer);
    },
  }),
);
