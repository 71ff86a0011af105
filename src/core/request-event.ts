import type { AttemptReport } from './decision.ts';
import { REQUEST_STATUSES, type RequestProgress, type RequestView } from './request-record.ts';
import { type EpochMs, later } from './time.ts';

export const REQUEST_EVENT_KINDS = ['started', 'rerouted', ...REQUEST_STATUSES] as const;

/** What happened to a request: it was routed, another provider took over, or it ended. */
export type RequestEventKind = (typeof REQUEST_EVENT_KINDS)[number];

export interface RequestEvent {
  readonly kind: RequestEventKind;
  /** The request as it was then. */
  readonly request: RequestView;
  /** The attempt that failed. Null unless it was rerouted. */
  readonly attempt: AttemptReport | null;
  /** By the store's clock, as far as the request's own times go. */
  readonly occurredAtMs: EpochMs;
}

/** What has just happened to a request. `failed` is the attempt after which it goes on; null when it begins, or has ended. */
export function eventOf(request: RequestView, failed: AttemptReport | null): RequestEvent {
  return {
    kind: kindOf(request.status, failed),
    request,
    attempt: failed,
    occurredAtMs: later(request.createdAtMs, request.timing.totalMs),
  };
}

/** A request that runs already when somebody begins to watch. */
export function presentOf(request: RequestView): RequestEvent {
  return { kind: 'started', request, attempt: null, occurredAtMs: request.createdAtMs };
}

function kindOf(status: RequestProgress, failed: AttemptReport | null): RequestEventKind {
  if (status !== 'running') return status;
  return failed === null ? 'started' : 'rerouted';
}
