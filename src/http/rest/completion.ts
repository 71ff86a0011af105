import type { Answered } from '../../core/outcome.ts';
import type { Answer, FinishReason } from '../../core/prompt.ts';
import { requestGlobalId } from '../../graphql/global-id.ts';
import { usageOf } from './usage.ts';

const FINISH_REASONS = {
  stop: 'stop',
  length: 'length',
  toolCalls: 'tool_calls',
  contentFilter: 'content_filter',
  error: 'error',
} as const satisfies Record<FinishReason, string>;

export function finishReasonOf(reason: FinishReason) {
  return FINISH_REASONS[reason];
}

/** A whole answer. `created` in seconds since 1970. */
export function completionOf(outcome: Answered, created: number) {
  const { answer, warnings } = outcome;
  return {
    // The request under which it is recorded: of an answer that is told again, the first one.
    id: requestGlobalId(outcome.requestId),
    object: 'chat.completion',
    created,
    model: outcome.model,
    provider: outcome.provider,
    choices: [
      {
        index: 0,
        message: messageOf(answer),
        logprobs: answer.logprobs,
        finish_reason: finishReasonOf(answer.finishReason),
      },
    ],
    usage: usageOf(outcome.usage, outcome.cost),
    ...(warnings.length > 0 ? { warnings } : {}),
  };
}

function messageOf({ text, refusal, toolCalls }: Answer) {
  const calls = toolCalls.map((call) => ({
    id: call.id,
    type: 'function',
    function: { name: call.name, arguments: call.arguments },
  }));
  return { role: 'assistant', content: text, refusal, ...(calls.length > 0 ? { tool_calls: calls } : {}) };
}
