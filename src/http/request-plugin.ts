import { GraphQLError } from 'graphql';
import type { GraphQLParams, Plugin } from 'graphql-yoga';
import type { HttpCode } from './answer.ts';
import type { Operation } from './operation.ts';

/** What an HTTP request may look like. Each refusal says what to send instead. */
export function requestPlugin(): Plugin<Operation, Operation> {
  return {
    onRequestParse({ request, requestParser, setRequestParser }) {
      if (request.method === 'GET') setRequestParser(parseUrl);
      if (request.method !== 'POST') return;
      const type = request.headers.get('content-type') ?? '';
      // A form of any web page may be posted here without the browser asking first, so that forms are no way in.
      if (requestParser === undefined || type.startsWith('application/x-www-form-urlencoded')) {
        throw refusal(
          415,
          'UNSUPPORTED_MEDIA_TYPE',
          `Send content-type application/json, not "${type.slice(0, 100)}".`,
        );
      }
      if (type.startsWith('application/json')) setRequestParser(parseJson);
    },
    onSubscribe({ context }) {
      // The WebSocket door has no such request.
      const accept = context.request?.headers.get('accept') ?? '*/*';
      if (/text\/event-stream|text\/\*|\*\/\*/i.test(accept)) return;
      throw refusal(
        406,
        'NOT_ACCEPTABLE',
        'A subscription is a stream: send the header "accept: text/event-stream", or subscribe over WebSocket with the subprotocol graphql-transport-ws.',
      );
    },
  };
}

async function parseJson(request: Request): Promise<GraphQLParams> {
  const body = parsed(await request.text(), 'The request body');
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body;
  throw refusal(
    400,
    'BAD_REQUEST',
    'The request body must be one JSON object, such as {"query": "{ providers { key } }"}. Batches are not taken.',
  );
}

/** As GraphQL over HTTP has it: texts, but for two that are JSON. */
function parseUrl({ url }: Request): GraphQLParams {
  const given = new URL(url).searchParams;
  const params: Record<string, unknown> = {};
  for (const name of ['query', 'documentId', 'operationName']) params[name] = given.get(name) ?? undefined;
  for (const name of ['variables', 'extensions']) {
    const text = given.get(name);
    if (text !== null && text !== '') params[name] = parsed(text, `The parameter ${name}`);
  }
  return params;
}

function parsed(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw refusal(400, 'BAD_REQUEST', `${what} is not valid JSON: ${why.slice(0, 200)}.`);
  }
}

function refusal(status: number, code: HttpCode, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code, http: { status, spec: false } } });
}
