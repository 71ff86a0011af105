import type { Category } from '../core/category.ts';
import type { CandidateReport } from '../core/decision.ts';
import type { FailureKind } from '../core/failure.ts';
import type { ProviderKey } from '../core/ids.ts';
import type { FinishReason } from '../core/prompt.ts';
import type { RequestStatus } from '../core/request-record.ts';
import type { TokenUsage } from '../core/usage.ts';
import type { BrokenOff } from './meters.ts';

/**
 * Where it is told how requests went their way. What can be told is what these types have room for: no prompt, no answer, no name of
 * a user or a key.
 */
export interface Traces extends AsyncDisposable {
  /** An operation begins. It goes on in its caller's own trace if `traceparent` names one. Undefined: it does not. */
  operation(name: OperationName, traceparent: string | undefined): OperationSpan;
}

export type OperationName =
  | 'POST /graphql'
  | 'GET /graphql'
  | 'WebSocket /graphql'
  | 'POST /v1/chat/completions'
  | 'GET /v1/models';

/** What a chat tells of itself, on the way from its door. */
export interface ChatSpan {
  /** The W3C id, to look the request up by. Null: it is not traced. */
  readonly traceId: string | null;
  /** Null: it is not traced. */
  readonly spanId: string | null;
  route(): Step<Routed>;
  reserve(): Step<Reserved>;
  attempt(of: AttemptBegun): Step<AttemptDone>;
  /** The chat has ended, in whichever way. */
  chatEnded(how: ChatEnded): void;
  settle(of: { readonly provider: ProviderKey; readonly model: string }): Step<'settled' | 'left'>;
}

export interface ChatEnded {
  readonly outcome: RequestStatus | BrokenOff;
  /** Of the catalogue of errors. Null: it was answered. */
  readonly errorCode: string | null;
}

export interface OperationSpan extends ChatSpan {
  end(how: OperationDone): void;
}

/** A part of the way. Disposing of one that has not ended says that something was thrown. */
export interface Step<End> extends Disposable {
  end(how: End): void;
}

export interface OperationDone {
  /** Null: it was never understood. */
  readonly kind: 'query' | 'mutation' | 'subscription' | null;
  /** As the document names it, bounded. Null: it has no name. */
  readonly operation: string | null;
  /** Of HTTP. Null at a WebSocket, and when the caller left before there was one. */
  readonly status: number | null;
  readonly errorCount: number;
}

export interface Routed {
  readonly category: Category;
  readonly confidence: number;
  /** Name and version. */
  readonly policy: string;
  /** Best first, refused ones last. */
  readonly candidates: readonly CandidateReport[];
}

export interface Reserved {
  /** Null: nobody was admitted. */
  readonly admitted: { readonly provider: ProviderKey; readonly model: string; readonly isProbe: boolean } | null;
  /** Candidates that could not take it at that moment. */
  readonly passedOver: readonly CandidateReport[];
}

export interface AttemptBegun {
  readonly provider: ProviderKey;
  readonly model: string;
  /** 1 for the first. */
  readonly number: number;
  readonly isStreamed: boolean;
  readonly outputTokensMax: number;
}

export interface AttemptDone {
  /** Null: it was answered. */
  readonly failure: {
    readonly kind: FailureKind;
    readonly httpStatus: number | null;
    readonly isSimulated: boolean;
  } | null;
  /** Null: nobody knows. */
  readonly usage: TokenUsage | null;
  /** Null without an answer. */
  readonly finishReason: FinishReason | null;
  /** Milliseconds to the first piece of the answer. Null when none came. */
  readonly firstChunkMs: number | null;
}
