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

const query = `subscription Chat($input: ChatInput!, $after: Int) { chatStream(input: $input, resumeAfter: $after) {
  __typename
  ... on ChatStarted { sequence routing { summary } }
  ... on ChatDelta { sequence content }
  ... on ChatRerouted { sequence }
  ... on ChatCompleted { sequence result { cost { totalUsd } } }
  ... on ChatFailed { sequence error { code message } }
} }`;
const input = { prompt: 'Write a haiku about railways', idempotencyKey: randomUUID() };

let last: number | null = null;
for await (const { data, errors } of client.iterate<Data>({
  query,
  // Read anew at every connection: it goes on after the last event that came.
  get variables() {
    return { input, after: last };
  },
})) {
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  const event = data?.chatStream;
  if (event === undefined) continue;
  last = event.sequence;
  // It may come again, from another replica for example: then the answer is told from its start.
  if (event.routing !== undefined) console.log('\nwhy:', event.routing.summary);
  if (event.content !== undefined) process.stdout.write(event.content);
  if (event.result !== undefined) console.log('\ncost in USD:', event.result.cost.totalUsd);
  if (event.error !== undefined) console.log('failed:', event.error.code, event.error.message);
}
await client.dispose();
