import { type GraphQLSchema, lexicographicSortSchema, printSchema } from 'graphql';
import { guarded } from './access.ts';
import { builder } from './builder.ts';
import './scalars.ts';
import './node.ts';
import './gateway.ts';
import './viewer.ts';
import './provider.ts';
import './rate-limit.ts';
import './breaker.ts';
import './breaker-event.ts';
import './simulation.ts';
import './model.ts';
import './metric-set.ts';
import './analytics.ts';
import './analytics-tick.ts';
import './request.ts';
import './request-event.ts';
import './budget.ts';
import './budget-event.ts';
import './api-key.ts';
import './api-key-acts.ts';
import './audit.ts';
import './routing.ts';
import './route-preview.ts';
import './chat.ts';
import './chat-stream.ts';
import './cancel-chat.ts';

builder.queryType({ description: 'Everything that can be read. Queries never call a provider and never cost money.' });
builder.mutationType({ description: 'Everything that changes state or spends money.' });
builder.subscriptionType({
  description:
    'Live events, over WebSocket (graphql-transport-ws) or server-sent events. Each stream starts with the present state, so nothing falls between a query and a subscription.',
});

/** What both GraphQL doors serve: the contract without what is not built yet. No root field without a rule who may call it. */
export const schema: GraphQLSchema = guarded(builder.toSchema({ sortSchema: false }));

/** The schema as text, in an order that only a change of meaning can change. */
export function printedSchema(): string {
  return `${printSchema(lexicographicSortSchema(schema))}\n`;
}
