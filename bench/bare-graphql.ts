import { createServer } from 'node:http';
import { createSchema, createYoga } from 'graphql-yoga';
import { listenAndTell } from './child.ts';

// A GraphQL server with one resolver that answers at once: what the GraphQL layer alone costs.
const yoga = createYoga({
  logging: false,
  schema: createSchema({
    typeDefs: `
      type Query { ok: Boolean! }
      type Mutation { chat(input: ChatInput!): ChatSuccess! }
      input ChatInput { prompt: String!, userId: String }
      type ChatSuccess { content: String!, cost: Cost!, routing: Routing! }
      type Cost { totalUsd: String! }
      type Routing { summary: String! }
    `,
    resolvers: {
      Mutation: {
        chat: () => ({ content: 'All clear.', cost: { totalUsd: '0.00' }, routing: { summary: 'fixed' } }),
      },
    },
  }),
});

listenAndTell(createServer(yoga));
