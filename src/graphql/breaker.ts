import { BREAKER, reopensAtOf } from '../core/breaker.ts';
import type { ProviderKey } from '../core/ids.ts';
import type { EpochMs } from '../core/time.ts';
import { NotFoundErrorRef } from './api-error.ts';
import { BreakerEventConnection, eventOfChange, type RecordedChange } from './breaker-event.ts';
import { builder } from './builder.ts';
import { unrecorded } from './failure-shape.ts';
import { mapPage, pageArgs, pageOrThrow, parsePage } from './page.ts';
import { providerOf } from './provider-shape.ts';
import { BreakerEventRef, BreakerRef, ProviderRef } from './refs.ts';
import type { Sight } from './survey-desk.ts';
import { parseReason } from './text.ts';
import { BreakerStateEnum } from './words.ts';

BreakerRef.implement({ description: 'A circuit breaker, shared by all replicas.' });

builder.objectFields(BreakerRef, (t) => ({
  state: t.field({
    type: BreakerStateEnum,
    description: 'Its state.',
    resolve: (sight) => breakerOf(sight).circuit.kind,
  }),
  epoch: t.int({
    description: 'Grows by one at every change of state; the newest event carries the same number.',
    resolve: (sight) => breakerOf(sight).epoch,
  }),
  consecutiveFailures: t.int({
    description: 'Failures in a row.',
    resolve: (sight) => breakerOf(sight).circuit.fails,
  }),
  failureThreshold: t.int({
    description: 'Failures in a row that open it.',
    resolve: () => BREAKER.failureThreshold,
  }),
  cooldownMs: t.int({ description: 'How long it stays open before a probe.', resolve: cooldownMsOf }),
  openedAt: t.field({
    type: 'DateTime',
    description: 'When it last opened.',
    nullable: true,
    resolve: (sight) => breakerOf(sight).openedAtMs,
  }),
  nextProbeAt: t.field({
    type: 'DateTime',
    description: 'When the next probe is allowed.',
    nullable: true,
    resolve: nextProbeAtOf,
  }),
  changedAt: t.field({
    type: 'DateTime',
    description: 'When it last changed.',
    resolve: (sight) => breakerOf(sight).changedAtMs,
  }),
  events: t.field({
    type: BreakerEventConnection,
    description: 'Its history, newest first.',
    args: pageArgs(),
    resolve: async ({ survey }, args, { gateway }) => {
      const answer = await gateway.breakerHistory(survey.state.provider, parsePage(args));
      return mapPage(pageOrThrow(answer), (event) => eventOfChange(event, 0));
    },
  }),
}));

function breakerOf(sight: Sight) {
  return sight.survey.state.breaker;
}

/** Of the present opening; otherwise how long the next one lasts at least. */
function cooldownMsOf(sight: Sight): number {
  const { circuit, openedAtMs } = breakerOf(sight);
  return circuit.kind === 'open' && openedAtMs !== null ? circuit.reopensAtMs - openedAtMs : BREAKER.cooldownMs;
}

/** A probe that is out makes the next one wait until its lease lapses. */
function nextProbeAtOf(sight: Sight): EpochMs | null {
  const { circuit } = breakerOf(sight);
  return circuit.kind === 'halfOpen' ? (circuit.probe?.leaseEndsAtMs ?? null) : reopensAtOf(breakerOf(sight));
}

const ResetBreakerInput = builder.inputType('ResetBreakerInput', {
  description: 'A breaker to reset.',
  fields: (t) => ({
    providerId: t.id({ description: 'Provider by id or key.', required: true }),
    reason: t.string({ description: 'Why, for the history.' }),
  }),
});

const ResetBreakerSuccess = builder
  .objectRef<{ readonly kind: 'reset'; readonly provider: ProviderKey; readonly event: RecordedChange | null }>(
    'ResetBreakerSuccess',
  )
  .implement({
    description: 'The breaker is closed on every replica.',
    fields: (t) => ({
      provider: t.field({
        type: ProviderRef,
        description: 'The provider.',
        resolve: ({ provider }, _args, context) => providerOf(context, provider),
      }),
      event: t.field({
        type: BreakerEventRef,
        description: 'The event that was recorded; null when the breaker was closed already.',
        nullable: true,
        resolve: ({ event }) => (event === null ? null : eventOfChange(event, 0)),
      }),
    }),
  });

const ResetBreakerResult = builder.unionType('ResetBreakerResult', {
  description: 'Outcome of `resetBreaker`.',
  types: [ResetBreakerSuccess, NotFoundErrorRef],
  resolveType: ({ kind }) => (kind === 'reset' ? 'ResetBreakerSuccess' : 'NotFoundError'),
});

builder.mutationField('resetBreaker', (t) =>
  t.field({
    type: ResetBreakerResult,
    description: "Closes a provider's circuit breaker now. Needs scope `providers:write`.",
    extensions: { access: 'providers:admin' },
    args: { input: t.arg({ type: ResetBreakerInput, description: 'Which breaker to reset.', required: true }) },
    resolve: async (_root, { input }, { gateway, caller, surveys }) => {
      const answer = await gateway.resetBreaker(input.providerId, parseReason(input.reason), caller);
      surveys.forget();
      return answer.kind === 'reset' ? answer : unrecorded(answer);
    },
  }),
);
