import type { MetricSet } from '../core/analytics.ts';
import type { ApiKey } from '../core/api-key.ts';
import type { Cause, CircuitKind } from '../core/breaker.ts';
import type { RoutingDecision } from '../core/decision.ts';
import type { ProviderKey, ReplicaId } from '../core/ids.ts';
import type { RateLimitState } from '../core/outcome.ts';
import type { Page } from '../core/page.ts';
import type { ModelSpec, ProviderSpec } from '../core/registry.ts';
import type { RequestView } from '../core/request-record.ts';
import type { Simulation } from '../core/simulation.ts';
import type { EpochMs } from '../core/time.ts';
import type { Budget } from '../gateway/gateway.ts';
import type { AnsweredChat } from './answered-chat.ts';
import { builder } from './builder.ts';
import type { Sight } from './survey-desk.ts';

// Types that several nouns point at are named here and filled in by their own files, so that no two files import each other.

/** `spec` is null for a provider that old requests mention and the registry no longer has: only its key is known. */
export interface ProviderShape {
  readonly key: ProviderKey;
  readonly spec: ProviderSpec | null;
}

export interface ModelShape {
  readonly provider: ProviderSpec;
  readonly model: ModelSpec;
}

/** A change of a breaker, or its present state: then `from` is null and `cause` is `snapshot`. */
export interface BreakerEventShape {
  readonly id: string;
  readonly provider: ProviderKey;
  readonly from: CircuitKind | null;
  readonly to: CircuitKind;
  readonly cause: Cause | 'snapshot';
  readonly epoch: number;
  readonly message: string;
  readonly fails: number;
  readonly nextProbeAtMs: EpochMs | null;
  readonly occurredAtMs: EpochMs;
  readonly replica: ReplicaId;
  readonly dropped: number;
}

export const ProviderRef = builder.objectRef<ProviderShape>('Provider');
export const ModelRef = builder.objectRef<ModelShape>('Model');
export const RequestRef = builder.objectRef<RequestView>('Request');
export const ApiKeyRef = builder.objectRef<ApiKey>('ApiKey');
export const BudgetRef = builder.objectRef<Budget>('Budget');
export const BreakerEventRef = builder.objectRef<BreakerEventShape>('BreakerEvent');
export const BreakerRef = builder.objectRef<Sight>('CircuitBreaker');
export const RoutingDecisionRef = builder.objectRef<RoutingDecision>('RoutingDecision');
export const RateLimitRef = builder.objectRef<RateLimitState>('RateLimit');
export const SimulationRef = builder.objectRef<Simulation>('FailureSimulation');
export const MetricSetRef = builder.objectRef<MetricSet>('MetricSet');
export const PageInfoRef = builder.objectRef<Page<unknown>>('PageInfo');

/** Anything with a global id. */
export type NodeShape = ProviderShape | ModelShape | RequestView | Budget | BreakerEventShape | ApiKey;

export const NodeRef = builder.interfaceRef<NodeShape>('Node');

export const ChatSuccessRef = builder.objectRef<AnsweredChat>('ChatSuccess');
