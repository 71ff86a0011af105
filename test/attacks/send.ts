import { connect } from 'node:net';
import { raw } from '../http/raw.ts';
import type { Reply, Target } from './target.ts';

export const JSON_TYPE = { 'content-type': 'application/json' };

/** A chat that must never be run. */
export const EVIL_CHAT = 'chat(input: { prompt: "evil", userId: "mallory" }) { __typename }';

export const EVIL_CHAT_DOCUMENT = `mutation { ${EVIL_CHAT} }`;

/** The same as a body. */
export const EVIL = JSON.stringify({ query: EVIL_CHAT_DOCUMENT });

/** The same as a request on a bare connection, with headers of any kind. */
export const post = (headers: string, body = EVIL) =>
  `POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n${headers}\r\n\r\n${body}`;

type Headers = Record<string, string>;

/** One POST with a body of any kind. */
export function send(
  target: Target,
  body: string | Buffer,
  headers: Headers = JSON_TYPE,
  path = '/graphql',
): Promise<Reply> {
  return raw(target, { body, headers, path });
}

/** One document, with variables. */
export function ask(target: Target, query: string, variables: object = {}): Promise<Reply> {
  return send(target, JSON.stringify({ query, variables }));
}

/** A request without a body. */
export function call(target: Target, method: string, path: string, headers: Headers = {}): Promise<Reply> {
  return raw(target, { method, path, headers });
}

/** Bytes on a bare connection; `more` is sent again and again until it is closed. */
export function bytes(
  target: Target,
  text: string,
  more: { readonly text: string; readonly everyMs: number } | null = null,
): Promise<Reply> {
  return new Promise((resolve) => {
    const socket = connect(target.port, '127.0.0.1', () => socket.write(text, 'latin1'));
    const timer = more === null ? null : setInterval(() => socket.write(more.text), more.everyMs);
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    // To reset the connection is an answer too.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (timer !== null) clearInterval(timer);
      const status = /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1];
      resolve({ status: status === undefined ? null : Number(status), text: answer });
    });
  });
}

/** The same text many times. */
export function many(count: number, part: string | ((index: number) => string)): string {
  return Array.from({ length: count }, (_, index) => (typeof part === 'string' ? part : part(index))).join(' ');
}
