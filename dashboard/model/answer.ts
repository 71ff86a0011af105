import type { TryItSubscription } from '../documents.generated.ts';
import { stepOf } from './reading.ts';
import { type Answer, type Fault, LIMITS } from './room-state.ts';

export type AnswerPiece = TryItSubscription['chatStream'];

export const NO_ANSWER: Answer = { kind: 'idle' };

export const WAITING: Answer = {
  kind: 'streaming',
  requestId: null,
  text: '',
  provider: null,
  path: [],
  isStopping: false,
};

/** The answer with one more piece of it. */
export function withPiece(answer: Answer, piece: AnswerPiece): Answer {
  if (answer.kind !== 'streaming') return answer;
  switch (piece.__typename) {
    case 'ChatStarted': {
      const first = piece.routing.candidates.find(({ rank }) => rank === 1);
      return { ...answer, requestId: piece.requestId, provider: first?.provider.key ?? null };
    }
    case 'ChatDelta':
      return { ...answer, text: (answer.text + (piece.content ?? '')).slice(0, LIMITS.answerCharsMax) };
    case 'ChatRerouted':
      return { ...answer, provider: piece.provider.key, path: [...answer.path, stepOf(piece.failed)] };
    case 'ChatCompleted': {
      const { request, content, provider, modelName, cost, timing, routing } = piece.result;
      return {
        kind: 'done',
        requestId: request.id,
        text: (content ?? '').slice(0, LIMITS.answerCharsMax),
        provider: provider.key,
        model: modelName,
        costUsd: cost.totalUsd,
        totalMs: timing.totalMs,
        summary: routing.summary,
        path: routing.attempts.map(stepOf),
      };
    }
    case 'ChatFailed': {
      const { code, message, requestId } = piece.error;
      const known = requestId ?? answer.requestId;
      return { kind: 'failed', requestId: known, text: answer.text, error: { code, message }, costUsd: piece.costUsd };
    }
    default:
      return piece satisfies never;
  }
}

/** The answer that ended before the gateway said how. */
export function brokenOff(answer: Answer, error: Fault): Answer {
  if (answer.kind !== 'streaming') return answer;
  return { kind: 'failed', requestId: answer.requestId, text: answer.text, error, costUsd: null };
}
