import { once } from 'node:events';
import { Pool } from 'undici';
import { WebSocket } from 'ws';

/** One reader of streams, one after the other, over a connection of its own. */
export interface StreamReader extends AsyncDisposable {
  /** Reads one stream to its end. Throws when it does not have all its tokens. */
  read(sequence: number): Promise<{ readonly firstTokenMs: number }>;
}

/** Of each stream of the bench's upstream. */
export const TOKENS = 200;

const STREAM = `subscription Bench($input: ChatInput!) { chatStream(input: $input) {
  __typename ... on ChatDelta { content } ... on ChatFailed { error { code message } } } }`;

/** What marks a token in a frame of any door. */
const MARK = 'tok ';

export function restReader(url: string): StreamReader {
  const messages = [{ role: 'user', content: 'Is the line clear?' }];
  const body = (sequence: number) =>
    JSON.stringify({ model: 'bench-1', messages, stream: true, user: userAt(sequence) });
  return httpReader({ url, path: '/v1/chat/completions', accept: '*/*', body });
}

export function sseReader(url: string): StreamReader {
  const body = (sequence: number) => JSON.stringify({ query: STREAM, variables: variablesAt(sequence) });
  return httpReader({ url, path: '/graphql', accept: 'text/event-stream', body });
}

function httpReader(of: {
  readonly url: string;
  readonly path: string;
  readonly accept: string;
  readonly body: (sequence: number) => string;
}): StreamReader {
  const pool = new Pool(of.url, { connections: 1 });
  return {
    async read(sequence) {
      const count = countTokens();
      const answer = await pool.request({
        path: of.path,
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: of.accept },
        body: of.body(sequence),
      });
      let rest = '';
      for await (const chunk of answer.body) {
        const parts = `${rest}${chunk}`.split(MARK);
        count.see(parts.length - 1);
        // A mark may be cut in two.
        rest = parts.at(-1)?.slice(1 - MARK.length) ?? '';
      }
      return count.end();
    },
    [Symbol.asyncDispose]: () => pool.close(),
  };
}

export async function socketReader(url: string): Promise<StreamReader> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  await once(socket, 'open');
  socket.send('{"type":"connection_init"}');
  await once(socket, 'message');
  return {
    async read(sequence) {
      const count = countTokens();
      const id = String(sequence);
      const ended = Promise.withResolvers<void>();
      const onMessage = (data: Buffer) => {
        const text = data.toString();
        count.see(text.split(MARK).length - 1);
        if (text.includes('"complete"') || text.includes('"error"')) ended.resolve();
      };
      socket.on('message', onMessage);
      socket.once('close', ended.resolve);
      socket.send(
        JSON.stringify({ id, type: 'subscribe', payload: { query: STREAM, variables: variablesAt(sequence) } }),
      );
      await ended.promise;
      socket.off('message', onMessage);
      socket.off('close', ended.resolve);
      return count.end();
    },
    async [Symbol.asyncDispose]() {
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    },
  };
}

function countTokens() {
  const sentAt = performance.now();
  let firstAt: number | null = null;
  let count = 0;
  return {
    see(more: number) {
      if (more > 0) firstAt ??= performance.now();
      count += more;
    },
    end() {
      if (count !== TOKENS || firstAt === null) throw new Error(`a stream had ${count} of ${TOKENS} tokens`);
      return { firstTokenMs: firstAt - sentAt };
    },
  };
}

function userAt(sequence: number): string {
  return `user-${sequence % 1_000}`;
}

function variablesAt(sequence: number): object {
  return { input: { prompt: 'Is the line clear?', userId: userAt(sequence) } };
}
