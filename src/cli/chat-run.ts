import { decodeFields, decodeNullable, decodeNumber, decodeText, type Fields } from '../core/decode.ts';
import type { Clock } from '../ports/clock.ts';
import { pause } from '../providers/pause.ts';
import { askGateway, type GatewayAddress } from './ask-gateway.ts';
import { subscribe } from './event-stream.ts';
import type { Shell } from './shell.ts';

/** How often a connection that broke is made again, and how long it is waited for in between. */
const RECONNECT = { triesMax: 5, waitMs: 500 } as const;

const STREAM = `subscription ($input: ChatInput!, $after: Int) { chatStream(input: $input, resumeAfter: $after) {
  __typename
  ... on ChatStarted { sequence requestId }
  ... on ChatDelta { sequence content }
  ... on ChatRerouted { sequence failed { provider { key } } provider { key } }
  ... on ChatCompleted { sequence result { content modelName provider { key } cost { totalUsd } budget { remainingUsd }
    timing { totalMs } usage { inputTokens outputTokens } request { id } routing { summary } warnings } }
  ... on ChatFailed { sequence costUsd error { code message requestId retryAfterMs } } } }`;

const CANCEL = 'mutation ($input: CancelChatInput!) { cancelChat(input: $input) { __typename } }';

interface ChatOrder {
  readonly gateway: GatewayAddress;
  /** A `ChatInput` with an idempotency key: by that a broken stream is joined again. */
  readonly input: Fields;
  readonly isJson: boolean;
  readonly shell: Shell;
  readonly clock: Clock;
}

/** What is known of an answer so far. */
interface Progress {
  /** Where the stream goes on after a break. Null: nothing came yet. */
  after: number | null;
  /** Null: it has not begun. */
  requestId: string | null;
  text: string;
}

/** Asks, and shows the answer as it comes. Answers whether there was one. */
export async function runChat(order: ChatOrder): Promise<boolean> {
  const { shell, gateway } = order;
  const stop = new AbortController();
  const progress: Progress = { after: null, requestId: null, text: '' };
  let interrupts = 0;
  using _ctrlC = shell.onInterrupt(() => {
    interrupts += 1;
    // Once: the gateway is told, and says what was spent. Twice: nobody waits for that.
    if (interrupts > 1 || progress.requestId === null) return stop.abort();
    const input = { requestId: progress.requestId };
    void askGateway(gateway, { query: CANCEL, variables: { input } });
  });
  for (let tries = 0; ; tries += 1) {
    const came = progress.after;
    const ended = await listen(order, progress, stop.signal);
    if (ended.kind === 'done') return ended.isAnswered;
    if (stop.signal.aborted) return fail(order, { code: 'CANCELLED', message: 'Stopped.' });
    if (progress.after !== came) tries = 0;
    if (tries >= RECONNECT.triesMax || progress.after === null)
      return fail(order, { code: 'UNREACHABLE', message: ended.why });
    shell.tell('\n(the connection broke: joining the answer again)\n');
    await pause({ clock: order.clock, ms: RECONNECT.waitMs, signal: stop.signal });
  }
}

type Listened =
  | { readonly kind: 'done'; readonly isAnswered: boolean }
  | { readonly kind: 'lost'; readonly why: string };

/** Listens on one connection, to its end or its break. */
async function listen(order: ChatOrder, progress: Progress, signal: AbortSignal): Promise<Listened> {
  const { input, gateway } = order;
  const variables = { input, after: progress.after };
  for await (const event of subscribe(gateway, { query: STREAM, variables }, signal)) {
    if (event.kind === 'lost') return event;
    if (event.kind === 'refused')
      return { kind: 'done', isAnswered: fail(order, { code: 'REFUSED', message: event.why }) };
    const isAnswered = take(order, progress, decodeFields(event.data.chatStream));
    if (isAnswered !== null) return { kind: 'done', isAnswered };
  }
  return { kind: 'lost', why: 'The gateway ended the answer before its end.' };
}

/** Shows one event. Null: there are more to come. */
function take(order: ChatOrder, progress: Progress, event: Fields): boolean | null {
  const { shell, isJson } = order;
  progress.after = decodeNumber(event.sequence);
  switch (event.__typename) {
    case 'ChatStarted':
      progress.requestId = decodeText(event.requestId);
      // It may come again, from another replica for example: then the answer is told from its start.
      if (progress.text !== '' && !isJson) shell.tell('\n(told again from its start)\n');
      progress.text = '';
      return null;
    case 'ChatDelta': {
      const piece = decodeNullable(event.content, decodeText) ?? '';
      progress.text += piece;
      if (!isJson) shell.print(plainText(piece));
      return null;
    }
    case 'ChatRerouted':
      if (!isJson) shell.tell(`(${providerIn(event.failed)} failed: ${providerIn(event)} takes over)\n`);
      return null;
    case 'ChatCompleted':
      return complete(order, progress, decodeFields(event.result));
    case 'ChatFailed':
      return failed(order, progress, event);
    default:
      return null;
  }
}

function complete({ shell, isJson }: ChatOrder, { text }: Progress, result: Fields): boolean {
  if (isJson) {
    shell.print(`${JSON.stringify(result, null, 2)}\n`);
    return true;
  }
  // An answer that was kept comes whole, without pieces.
  const whole = decodeNullable(result.content, decodeText) ?? '';
  if (text === '' && whole !== '') shell.print(plainText(whole));
  shell.print('\n');
  const cost = decodeText(decodeFields(result.cost).totalUsd);
  const budget = decodeNullable(result.budget, decodeFields);
  const left = budget === null ? '' : `, $${decodeText(budget.remainingUsd)} left`;
  const seconds = (decodeNumber(decodeFields(result.timing).totalMs) / 1_000).toFixed(1);
  const model = `${providerIn(result)}/${plainText(decodeText(result.modelName))}`;
  shell.tell(`\n${model}  $${cost}${left}  ${seconds} s  ${decodeText(decodeFields(result.request).id)}\n`);
  shell.tell(`${plainText(decodeText(decodeFields(result.routing).summary))}\n`);
  return true;
}

function failed(order: ChatOrder, { text }: Progress, { error, costUsd }: Fields): boolean {
  const { code, message } = decodeFields(error);
  if (text !== '' && !order.isJson) order.shell.print('\n');
  const spent = Number(decodeText(costUsd)) === 0 ? '' : ` $${decodeText(costUsd)} was spent.`;
  return fail(order, {
    code: decodeText(code),
    message: `${decodeText(message)}${spent}`,
    costUsd: decodeText(costUsd),
  });
}

/** One line for people, with the code that docs/errors.md explains. */
function fail(
  { shell, isJson }: ChatOrder,
  error: { readonly code: string; readonly message: string; readonly costUsd?: string },
): false {
  if (isJson) shell.print(`${JSON.stringify({ error }, null, 2)}\n`);
  else shell.tell(`${error.code}: ${plainText(error.message)}\n`);
  return false;
}

function providerIn(holder: unknown): string {
  const { provider } = decodeFields(holder);
  return plainText(decodeText(decodeFields(provider).key));
}

/** What models and providers write: a terminal obeys no control character of it, but for line breaks and tabs. */
function plainText(text: string): string {
  return text.replaceAll(/(?![\n\t])\p{C}/gu, '?');
}
