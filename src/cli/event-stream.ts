import { decodeFields, type Fields } from '../core/decode.ts';
import {
  type GatewayAddress,
  type GatewayAnswer,
  headersFor,
  nobody,
  type Refused,
  readAnswer,
  unreached,
} from './ask-gateway.ts';

/** Longest event that is waited for to its end. */
const EVENT_CHARS_MAX = 8_000_000;

/** One event of a subscription, or why there are no more. */
export type StreamEvent = { readonly kind: 'event'; readonly data: Fields } | Refused;

/** Runs one subscription over server-sent events, to its end or until the signal aborts. */
export async function* subscribe(
  gateway: GatewayAddress,
  operation: { readonly query: string; readonly variables: Readonly<Record<string, unknown>> },
  signal: AbortSignal,
): AsyncGenerator<StreamEvent, void, void> {
  let isComplete = false;
  try {
    const response = await fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      redirect: 'error',
      headers: headersFor(gateway, 'text/event-stream'),
      body: JSON.stringify(operation),
      signal,
    });
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
    if (!isStream || response.body === null) {
      yield eventOf(readAnswer(response.status, await response.text(), gateway.url));
      return;
    }
    for await (const { name, data } of eventsIn(response.body)) {
      isComplete ||= name === 'complete';
      if (name === 'next') yield eventOf(readAnswer(response.status, data, gateway.url));
    }
    if (!isComplete) yield nobody(`The connection to ${gateway.url} broke.`);
  } catch (error) {
    yield unreached(gateway.url, error);
  }
}

function eventOf(answer: GatewayAnswer): StreamEvent {
  return answer.kind === 'answered' ? { kind: 'event', data: decodeFields(answer.data) } : answer;
}

async function* eventsIn(body: ReadableStream<Uint8Array>) {
  let waiting = '';
  const decoder = new TextDecoder();
  for await (const bytes of body) {
    waiting += decoder.decode(bytes, { stream: true });
    if (waiting.length > EVENT_CHARS_MAX) throw new RangeError('an event of the gateway is too long');
    const blocks = waiting.split('\n\n');
    waiting = blocks.pop() ?? '';
    for (const block of blocks) yield parseBlock(block);
  }
}

/** Comments, by which the gateway shows that it lives, have neither name nor data. */
function parseBlock(block: string): { readonly name: string; readonly data: string } {
  const lines = block.split('\n');
  const fieldOf = (field: string) =>
    lines.filter((line) => line.startsWith(`${field}:`)).map((line) => line.slice(field.length + 1).replace(/^ /, ''));
  return { name: fieldOf('event').join(''), data: fieldOf('data').join('\n') };
}
