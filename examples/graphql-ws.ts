import { randomUUID } from 'node:crypto';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

// A streamed answer over WebSocket. The client connects again by itself after a dropped connection and sends the same
// subscription: with an idempotency key it joins the stream that runs, and is paid for once.
const url = process.env.SWITCHYARD_URL ?? 'http://localhost:4000';
const client = createClient({ url: `${url.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket });

interface Data {
  readonly chatStream: {
    readonly __typename: string;
    readonly sequence: number;
    readonly content?: string;
    readonly routing?: { readonly summary: string };
    readonly result?: { readonly cost: { readonly totalUsd: string } };
    readonly error?: { readonly code: string; readonly message: string };
  };
}

const query = `subscription Chat($input: ChatInput!) { chatStream(input: $input) {
  __typename
  ... on ChatStarted { sequence routing { summary } }
  ... on ChatDelta { sequence content }
  ... on ChatRerouted { sequence }
  ... on ChatCompleted { sequence result { cost { totalUsd } } }
  ... on ChatFailed { sequence error { code message } }
} }`;
const input = { prompt: 'Write a haiku about railways', idempotencyKey: randomUUID() };

let last = -1;
for await (const { data, errors } of client.iterate<Data>({ query, variables: { input } })) {
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  const event = data?.chatStream;
  // After a reconnection the stream is told from its start: what is known already is passed over.
  if (event === undefined || event.sequence <= last) continue;
  last = event.sequence;
  if (event.routing !== undefined) console.log('why:', event.routing.summary);
  if (event.content !== undefined) process.stdout.write(event.content);
  if (event.result !== undefined) console.log('\ncost in USD:', event.result.cost.totalUsd);
  if (event.error !== undefined) console.log('failed:', event.error.code, event.error.message);
}
await client.dispose();
