import type { Cost, Timing } from '../core/outcome.ts';
import type { TokenUsage } from '../core/usage.ts';
import { builder } from './builder.ts';

const UsageSourceEnum = builder.enumType('UsageSource', {
  description: 'How token counts are known.',
  values: {
    REPORTED: { value: 'reported', description: 'The provider reported them.' },
    COUNTED: {
      value: 'counted',
      description: 'Counted here from text that was really received; the provider sent no counts.',
    },
    ESTIMATED: {
      value: 'estimated',
      description:
        'Bounded from above: the call ended without an answer that could be counted. May be corrected later.',
    },
  },
});

export const TokenUsageRef = builder.objectRef<TokenUsage>('TokenUsage').implement({
  description: 'Tokens used by a request.',
  fields: (t) => ({
    inputTokens: t.exposeInt('inputTokens', { description: 'Tokens read.' }),
    outputTokens: t.exposeInt('outputTokens', { description: 'Tokens written, thinking included.' }),
    cachedInputTokens: t.exposeInt('cachedInputTokens', {
      description: "Part of the input that came from the provider's cache.",
    }),
    reasoningTokens: t.exposeInt('reasoningTokens', { description: 'Part of the output spent on thinking.' }),
    totalTokens: t.int({
      description: 'Input and output together.',
      resolve: ({ inputTokens, outputTokens }) => inputTokens + outputTokens,
    }),
    source: t.expose('source', { type: UsageSourceEnum, description: 'How these counts are known.' }),
  }),
});

export const CostRef = builder.objectRef<Cost>('Cost').implement({
  description: 'What a request cost.',
  fields: (t) => ({
    totalUsd: t.expose('total', { type: 'Decimal', description: 'Everything, failed attempts included.' }),
    inputUsd: t.expose('input', { type: 'Decimal', description: 'Input tokens.' }),
    outputUsd: t.expose('output', { type: 'Decimal', description: 'Output tokens.' }),
    reservedUsd: t.expose('reserved', {
      type: 'Decimal',
      description: 'Amount held from the budget while the request ran; the difference was given back.',
    }),
    priceListVersion: t.exposeString('priceListVersion', { description: 'Version of the price list used.' }),
  }),
});

export const TimingRef = builder.objectRef<Timing>('Timing').implement({
  description: 'Where the time of a request went.',
  fields: (t) => ({
    totalMs: t.int({
      description: 'From receiving the request to the last byte.',
      resolve: ({ totalMs }) => Math.round(totalMs),
    }),
    timeToFirstTokenMs: t.int({
      description: 'From receiving the request to the first token; null when not streamed.',
      nullable: true,
      resolve: ({ timeToFirstTokenMs }) => (timeToFirstTokenMs === null ? null : Math.round(timeToFirstTokenMs)),
    }),
    upstreamMs: t.int({
      description: 'Spent waiting for providers.',
      resolve: ({ upstreamMs }) => Math.round(upstreamMs),
    }),
    overheadMs: t.exposeFloat('overheadMs', {
      description: 'Spent inside the gateway, in milliseconds with fraction.',
    }),
  }),
});
