import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Reaction } from './reaction.ts';
import { stream } from './streaming.ts';
import { answerOf, errorOf, type Usage, type Wire } from './wire.ts';

const BODY_BYTES_MAX = 2_000_000;

/** Does what was decided: an answer, whole or in pieces, an error, silence, or a broken connection. */
export async function perform(of: {
  readonly wire: Wire;
  readonly reaction: Reaction;
  readonly usage: Usage;
  readonly response: ServerResponse;
  /** Told before each piece of a stream. */
  readonly onPiece: () => void;
}): Promise<void> {
  const { wire, reaction, response } = of;
  switch (reaction.kind) {
    case 'answer':
      sendJson(response, { status: 200, body: answerOf(wire, of.usage), headers: {} });
      break;
    case 'stream':
      await stream({ ...of, inputTokens: of.usage.inputTokens, streaming: reaction.streaming });
      break;
    case 'refuse': {
      const { status, headers = {} } = reaction;
      sendJson(response, { status, body: errorOf(wire, `refused with ${status} on purpose`), headers });
      break;
    }
    case 'hang':
      break;
    case 'cut':
      if (reaction.place === 'inBody') {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
        response.write('{"half":');
      }
      response.socket?.resetAndDestroy();
      break;
    default:
      reaction satisfies never;
  }
}

function sendJson(
  response: ServerResponse,
  of: { readonly status: number; readonly body: object; readonly headers: Readonly<Record<string, string>> },
): void {
  if (response.closed) return;
  response.writeHead(of.status, { 'content-type': 'application/json', ...of.headers });
  response.end(JSON.stringify(of.body));
}

/** Null when the caller broke off, or sent too much: then nothing was received, and nothing is billed. */
export async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request) {
      bytes += chunk.length;
      if (bytes > BODY_BYTES_MAX) return null;
      chunks.push(chunk);
    }
  } catch {
    return null;
  }
  return request.complete ? Buffer.concat(chunks).toString() : null;
}
