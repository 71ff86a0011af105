import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { listenAndTell } from './child.ts';
import { TOKENS } from './stream-readers.ts';

// A model server that answers at once, as fast as it is read: what is measured is everything but it.
const ANSWER = JSON.stringify({
  id: 'chatcmpl-bench',
  object: 'chat.completion',
  created: 0,
  model: 'bench-1',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: 'All clear.', refusal: null },
      finish_reason: 'stop',
      logprobs: null,
    },
  ],
  usage: { prompt_tokens: 12, completion_tokens: 3, total_tokens: 15 },
});

const CHUNK = { id: 'chatcmpl-bench', object: 'chat.completion.chunk', created: 0, model: 'bench-1' };
const PIECE = frame({ ...CHUNK, choices: [{ index: 0, delta: { content: 'tok ' }, finish_reason: null }] });
const END = [
  frame({ ...CHUNK, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }),
  frame({
    ...CHUNK,
    choices: [],
    usage: { prompt_tokens: 12, completion_tokens: TOKENS, total_tokens: 12 + TOKENS },
  }),
  'data: [DONE]\n\n',
].join('');

listenAndTell(
  createServer(async (request, response) => {
    const body = await text(request);
    if (body.includes('"stream":true')) return stream(response);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(ANSWER);
  }),
);

async function stream(response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (let count = 0; count < TOKENS; count += 1) {
    if (!response.write(PIECE)) await once(response, 'drain');
  }
  response.end(END);
}

function frame(body: object): string {
  return `data: ${JSON.stringify(body)}\n\n`;
}
