import type { RequestView } from '../core/request-record.ts';
import { NotFoundErrorRef } from './api-error.ts';
import { builder } from './builder.ts';
import { unrecorded } from './failure-shape.ts';
import { parseGlobalId } from './global-id.ts';
import { RequestRef } from './refs.ts';

const CancelChatInput = builder.inputType('CancelChatInput', {
  description: 'A chat to stop.',
  fields: (t) => ({ requestId: t.id({ description: "The request's id.", required: true }) }),
});

const CancelChatSuccess = builder
  .objectRef<{ readonly kind: 'stopped'; readonly request: RequestView }>('CancelChatSuccess')
  .implement({
    description: 'The request was stopped, or had ended already.',
    fields: (t) => ({ request: t.expose('request', { type: RequestRef, description: 'The request.' }) }),
  });

const CancelChatResult = builder.unionType('CancelChatResult', {
  description: 'Outcome of `cancelChat`.',
  types: [CancelChatSuccess, NotFoundErrorRef],
  resolveType: ({ kind }) => (kind === 'stopped' ? 'CancelChatSuccess' : 'NotFoundError'),
});

builder.mutationField('cancelChat', (t) =>
  t.field({
    type: CancelChatResult,
    description: 'Stops a running chat. Tokens already produced are still paid for.',
    extensions: { access: 'chat' },
    args: { input: t.arg({ type: CancelChatInput, description: 'Which request to stop.', required: true }) },
    resolve: async (_root, { input }, { gateway, caller, signal, surveys }) => {
      const parsed = parseGlobalId(input.requestId);
      if (parsed?.kind !== 'request') return unrecorded(noRequestId(input.requestId));
      const answer = await gateway.cancelChat({ id: parsed.id, caller, signal });
      surveys.forget();
      return answer.kind === 'stopped' ? answer : unrecorded(answer);
    },
  }),
);

function noRequestId(id: string) {
  return {
    kind: 'notFound',
    code: 'NOT_FOUND',
    message: `"${id}" is not the id of a request. Send one as it is told: requestId of a stream, or the header x-request-id.`,
    isRetryable: false,
    retryAfterMs: null,
  } as const;
}
