import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sendJson } from '../providers/upstream.ts';
import type { Canaries } from './canaries.ts';

/** What the upstream does with a call, as the call itself says: `do:NAME`. */
export const ACTS = [
  'answer',
  '400',
  '401',
  '404',
  '429',
  '500',
  'html',
  'notJson',
  'notACompletion',
  'redirect',
  'cut',
];

/** The same of a call whose answer is wanted as a stream. */
export const STREAM_ACTS = ['answer', '429', '500', 'streamError', 'streamGarbage', 'streamCut'];

/** A provider that repeats whatever it hears wherever it can: in errors, headers, streams, and answers that make no sense. */
export async function openEchoingUpstream(canaries: Canaries) {
  const acts: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const body = Buffer.concat(chunks).toString();
    const act = /do:(\w+)/.exec(body)?.[1] ?? 'answer';
    acts.push(act);
    // The newest words first: only the beginning of a message is kept.
    const newest = /Please do:[^"]*/.exec(body)?.[0] ?? '';
    const heard = `${newest} in ${body} with ${request.headers.authorization} and ${request.headers['x-api-key']}`;
    const isStreamed = body.includes('"stream":true');
    if (isStreamed && !/^\d/.test(act)) stream(response, { act, heard, canaries });
    else answer(response, { act, heard, canaries });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    acts,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Heard {
  readonly act: string;
  readonly heard: string;
  readonly canaries: Canaries;
}

function answer(response: ServerResponse, { act, heard, canaries }: Heard): void {
  const headers = { 'x-echo': canaries.prompt, 'x-request-id': canaries.system };
  switch (act) {
    case 'html':
      response.writeHead(502, { 'content-type': 'text/html', ...headers });
      response.end(`<html><body>Bad gateway for ${heard}</body></html>`);
      return;
    case 'notJson':
      response.writeHead(200, headers).end(`{"choices": [${canaries.answer} ${heard}`);
      return;
    case 'notACompletion':
      sendJson(response, { choices: 'none', said: canaries.answer, heard }, 200, headers);
      return;
    case 'redirect':
      response.writeHead(307, { location: `http://127.0.0.1:1/${canaries.prompt}` }).end();
      return;
    case 'cut':
      response.writeHead(200, { 'content-length': '100000', ...headers });
      response.write(`{"choices": [{"message": {"content": "${canaries.answer}`);
      setImmediate(() => response.destroy());
      return;
    case 'answer':
      sendJson(response, completion(canaries), 200, headers);
      return;
    default:
      sendJson(
        response,
        { error: { message: `refused: ${heard}`, type: 'error', param: heard } },
        Number(act),
        headers,
      );
  }
}

function completion(canaries: Canaries) {
  const call = { name: 'weather', arguments: JSON.stringify({ city: canaries.answerArguments }) };
  const message = {
    role: 'assistant',
    content: `It is ${canaries.answer}.`,
    tool_calls: [{ id: 'call_2', type: 'function', function: call }],
  };
  return {
    choices: [{ index: 0, message, finish_reason: 'stop' }],
    usage: { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 },
  };
}

function stream(response: ServerResponse, { act, heard, canaries }: Heard): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'x-echo': canaries.prompt });
  const send = (value: unknown) => response.write(`data: ${JSON.stringify(value)}\n\n`);
  send({ choices: [{ index: 0, delta: { role: 'assistant', content: `It is ${canaries.streamedAnswer}` } }] });
  switch (act) {
    case 'streamError':
      send({ error: { message: `broken after "It is ${canaries.streamedAnswer}" to ${heard}`, type: 'server_error' } });
      response.end();
      return;
    case 'streamGarbage':
      response.write(`data: {"choices": [${canaries.streamedAnswer}\n\n`);
      response.end();
      return;
    case 'streamCut':
      setImmediate(() => response.destroy());
      return;
    default:
      send({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage: completion(canaries).usage });
      response.end('data: [DONE]\n\n');
  }
}
