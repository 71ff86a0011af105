import { bareKey } from '../core/ids.ts';
import { type PicoUsd, type PricePerMTok, picoUsd } from '../core/money.ts';
import { builder } from './builder.ts';
import { modelGlobalId } from './global-id.ts';
import { ModelRef, NodeRef, ProviderRef } from './refs.ts';

const ModelCapabilityEnum = builder.enumType('ModelCapability', {
  description: 'What a model can do.',
  values: {
    STREAMING: { value: 'streaming', description: 'Streams its answer.' },
    TOOLS: { value: 'tools', description: 'Calls tools.' },
    JSON_SCHEMA: { value: 'jsonSchema', description: 'Follows a JSON Schema.' },
    VISION: { value: 'vision', description: 'Reads images.' },
    REASONING: { value: 'reasoning', description: 'Thinks before it answers.' },
  },
});

ModelRef.implement({ description: 'A model of a provider.', interfaces: [NodeRef] });

builder.objectFields(ModelRef, (t) => ({
  id: t.id({
    description: 'Global id.',
    resolve: ({ provider, model }) => modelGlobalId({ provider: provider.key, model: model.name }),
  }),
  name: t.string({ description: 'Exact name at the provider.', resolve: ({ model }) => model.name }),
  provider: t.field({
    type: ProviderRef,
    description: 'Who offers it.',
    resolve: ({ provider }) => ({ key: provider.key, spec: provider }),
  }),
  aliases: t.stringList({ description: 'Other names that lead to it.', resolve: ({ model }) => model.aliases }),
  inputUsdPerMillion: t.field({
    type: 'Decimal',
    description: 'Input tokens, US dollars per million.',
    resolve: ({ model }) => usdPerMillion(model.price.input),
  }),
  outputUsdPerMillion: t.field({
    type: 'Decimal',
    description: 'Output tokens, US dollars per million.',
    resolve: ({ model }) => usdPerMillion(model.price.output),
  }),
  cachedInputUsdPerMillion: t.field({
    type: 'Decimal',
    description: 'Cached input tokens, US dollars per million.',
    nullable: true,
    resolve: ({ model }) => (model.price.cachedInput === null ? null : usdPerMillion(model.price.cachedInput)),
  }),
  contextWindow: t.int({
    description: 'Most tokens of input and output together.',
    resolve: ({ model }) => model.contextWindow,
  }),
  maxOutputTokens: t.int({ description: 'Most tokens of output.', resolve: ({ model }) => model.maxOutputTokens }),
  capabilities: t.field({
    type: [ModelCapabilityEnum],
    description: 'What it can do.',
    resolve: ({ model }) => model.capabilities,
  }),
}));

const ModelFilterInput = builder.inputType('ModelFilter', {
  description: 'Keeps only some models.',
  fields: (t) => ({
    providerId: t.idList({ description: 'Of one of these providers.' }),
    capabilities: t.field({ type: [ModelCapabilityEnum], description: 'With all of these capabilities.' }),
  }),
});

builder.queryField('models', (t) =>
  t.field({
    type: [ModelRef],
    description: 'All models that can be asked for, including aliases such as `auto`.',
    extensions: { access: 'any key' },
    args: { filter: t.arg({ type: ModelFilterInput, description: 'Keeps only the models that match.' }) },
    resolve: (_root, { filter }, { gateway }) => {
      const keys = filter?.providerId?.map(bareKey) ?? null;
      const capabilities = filter?.capabilities ?? [];
      return gateway.registry.providers
        .filter((provider) => keys === null || keys.includes(provider.key))
        .flatMap((provider) => provider.models.map((model) => ({ provider, model })))
        .filter(({ model }) => capabilities.every((capability) => model.capabilities.includes(capability)));
    },
  }),
);

/** A list price counts micro-dollars per million tokens: a million of them is a pico-dollar amount per million. */
function usdPerMillion(price: PricePerMTok): PicoUsd {
  return picoUsd(BigInt(price) * 1_000_000n);
}
