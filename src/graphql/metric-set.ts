import type { LatencyStats } from '../core/analytics.ts';
import { builder } from './builder.ts';
import { MetricSetRef } from './refs.ts';

const LatencyStatsRef = builder.objectRef<LatencyStats>('LatencyStats').implement({
  description: 'A distribution of times in milliseconds; all null without data.',
  fields: (t) => ({
    meanMs: t.exposeFloat('meanMs', { description: 'Mean.', nullable: true }),
    p50Ms: t.exposeFloat('p50Ms', { description: 'Half are faster.', nullable: true }),
    p90Ms: t.exposeFloat('p90Ms', { description: 'Nine in ten are faster.', nullable: true }),
    p95Ms: t.exposeFloat('p95Ms', { description: '95 in 100 are faster.', nullable: true }),
    p99Ms: t.exposeFloat('p99Ms', { description: '99 in 100 are faster.', nullable: true }),
    maxMs: t.exposeFloat('maxMs', { description: 'Slowest.', nullable: true }),
  }),
});

MetricSetRef.implement({
  description: 'A set of numbers.',
  fields: (t) => ({
    requests: t.expose('requests', { type: 'SafeInt', description: 'Requests in all.' }),
    succeeded: t.expose('succeeded', { type: 'SafeInt', description: 'Answered.' }),
    failed: t.expose('failed', { type: 'SafeInt', description: 'Not answered.' }),
    refused: t.expose('refused', { type: 'SafeInt', description: 'Refused before any call.' }),
    rescued: t.expose('rescued', { type: 'SafeInt', description: 'Answered only after a fallback.' }),
    attempts: t.expose('attempts', {
      type: 'SafeInt',
      description: 'Calls made to providers; a request that fell back once made two.',
    }),
    attemptsFailed: t.expose('attemptsFailed', {
      type: 'SafeInt',
      description: 'Calls that did not end in a usable answer.',
    }),
    successRate: t.float({
      description: 'Share answered of those not refused, 0 to 1; null without requests.',
      nullable: true,
      resolve: ({ succeeded, failed }) => (succeeded + failed === 0 ? null : succeeded / (succeeded + failed)),
    }),
    inputTokens: t.expose('inputTokens', { type: 'SafeInt', description: 'Tokens read.' }),
    outputTokens: t.expose('outputTokens', { type: 'SafeInt', description: 'Tokens written.' }),
    costUsd: t.expose('cost', { type: 'Decimal', description: 'Spent.' }),
    savedUsd: t.expose('saved', {
      type: 'Decimal',
      description: 'Saved against always choosing the dearest eligible model.',
    }),
    latency: t.expose('latency', {
      type: LatencyStatsRef,
      description: 'Time to the complete answer, answered requests only.',
    }),
    timeToFirstToken: t.expose('timeToFirstToken', {
      type: LatencyStatsRef,
      description: 'Time to the first token, streamed requests only.',
    }),
    overhead: t.expose('overhead', { type: LatencyStatsRef, description: 'Time spent inside the gateway.' }),
  }),
});
