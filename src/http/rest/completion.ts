import type { Answered } from '../../core/outcome.ts';
import type { Answer, FinishReason } from '../../core/prompt.ts';
import { requestGlobalId } from '../../graphql/global-id.ts';
import type { AskedChat } from './chat-body.ts';
import { inRestWords } from './names.ts';
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

/** What the caller should know of an answer that was no error, in the words of this door. */
export function warningsOf(asked: Pick<AskedChat, 'warnings'>, outcome: Answered): readonly string[] {
  return [...asked.warnings, ...outcome.warnings.map(inRestWords)];
}

/** A whole answer. `created` in seconds since 1970. */
export function completionOf(
  outcome: Answered,
  { created, warnings }: { readonly created: number; readonly warnings: readonly string[] },
) {
  const { answer } = outcome;
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
