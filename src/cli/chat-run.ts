import { decodeFields, decodeNullable, decodeNumber, decodeText, type Fields } from '../core/decode.ts';
import type { Clock } from '../ports/clock.ts';
import { pause } from '../providers/pause.ts';
import { askGateway, type GatewayAddress, nobody, OWN_CODES, type Refused } from './ask-gateway.ts';
import { subscribe } from './event-stream.ts';
import { plainText } from './plain-text.ts';
import type { Shell } from './shell.ts';

/** How often it is tried again, and how long it is waited for in between: as long as the gateway says, within these bounds. */
const AGAIN = { triesMax: 5, waitMs: { least: 500, most: 10_000 } } as const;

const STREAM = `subscription ($input: ChatInput!, $after: Int) { chatStream(input: $input, resumeAfter: $after) {
  __typename
  ... on ChatStarted { sequence requestId }
  ... on ChatDelta { sequence content }
  ... on ChatRerouted { sequence failed { provider { key } } provider { key } }
  ... on ChatCompleted { sequence result { content modelName provider { key } cost { totalUsd } budget { remainingUsd }
    timing { totalMs } usage { inputTokens outputTokens } request { id } routing { summary } warnings } }
  ... on ChatFailed { sequence costUsd error { code message requestId retryAfterMs } } } }`;

const CANCEL = `mutation ($input: CancelChatInput!) { cancelChat(input: $input) {
  __typename ... on ApiError { code message } } }`;

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
  /** How often Ctrl-C was pressed. Once: the gateway is told, and says what was spent. Twice: nobody waits for that. */
  interruptCount: number;
  /** Aborted when nobody waits any more. */
  readonly left: AbortController;
}

/** Asks, and shows the answer as it comes. Answers whether there was one. */
export async function runChat(order: ChatOrder): Promise<boolean> {
  const { shell } = order;
  const left = new AbortController();
  const progress: Progress = { after: null, requestId: null, text: '', interruptCount: 0, left };
  using _ctrlC = shell.onInterrupt(() => {
    progress.interruptCount += 1;
    if (progress.interruptCount > 1) return left.abort();
    if (progress.requestId !== null) return stop(order, progress, progress.requestId);
    shell.tell('(it is stopped as soon as it begins; Ctrl-C again does not wait for that)\n');
  });
  for (let tries = 0; ; tries += 1) {
    const came = progress.after;
    const ended = await listen(order, progress);
    if (ended.kind === 'done') return ended.isAnswered;
    if (left.signal.aborted) return fail(order, leaving(progress));
    if (progress.after !== came) tries = 0;
    const isRefused = ended.code !== OWN_CODES.unreachable;
    // What was refused was not run. Who asks for a stop wants no further try.
    if (isRefused && progress.requestId === null && progress.interruptCount > 0) return fail(order, NOT_BEGUN);
    // An address at which nobody ever answered is a mistake more likely than a break.
    const isWorthIt = isRefused ? ended.retryAfterMs !== null : progress.after !== null;
    if (tries >= AGAIN.triesMax || !isWorthIt) return fail(order, { code: ended.code, message: ended.why });
    shell.tell(`\n(${isRefused ? `${ended.code}: trying again` : 'the connection broke: joining the answer again'})\n`);
    const ms = Math.min(AGAIN.waitMs.most, Math.max(AGAIN.waitMs.least, ended.retryAfterMs ?? 0));
    await pause({ clock: order.clock, ms, signal: left.signal });
  }
}

const NOT_BEGUN = { code: 'CANCELLED', message: 'Stopped before it began: nothing was spent.' };

/** With an idempotency key it does not end with its connection. */
function leaving({ requestId }: Progress) {
  const which = requestId ?? 'the chat';
  return {
    code: 'CANCELLED',
    message: `Left before the end: ${which} may run on at the gateway, and is then paid for.`,
  };
}

/** Has the gateway stop it. How it ended comes as the last event of its stream. */
function stop({ gateway, shell }: ChatOrder, { left }: Progress, requestId: string): void {
  const operation = { query: CANCEL, variables: { input: { requestId } } };
  void askGateway(gateway, operation, left.signal).then((answer) => {
    const fault = answer.kind === 'refused' ? answer : faultIn(decodeFields(answer.data.cancelChat));
    if (fault !== null && !left.signal.aborted)
      shell.tell(`\n(it could not be stopped: ${fault.code}: ${plainText(fault.why)})\n`);
  });
}

function faultIn({ code, message }: Fields) {
  return code === undefined ? null : { code: decodeText(code), why: decodeText(message) };
}

type Listened = { readonly kind: 'done'; readonly isAnswered: boolean } | Refused;

/** Listens on one connection, to its end or its break. */
async function listen(order: ChatOrder, progress: Progress): Promise<Listened> {
  const { input, gateway } = order;
  const variables = { input, after: progress.after };
  for await (const event of subscribe(gateway, { query: STREAM, variables }, progress.left.signal)) {
    if (event.kind === 'refused') return event;
    const isAnswered = take(order, progress, decodeFields(event.data.chatStream));
    if (isAnswered !== null) return { kind: 'done', isAnswered };
  }
  return nobody('The gateway ended the answer before its end.');
}

/** Shows one event. Null: there are more to come. */
function take(order: ChatOrder, progress: Progress, event: Fields): boolean | null {
  const { shell, isJson } = order;
  progress.after = decodeNumber(event.sequence);
  switch (event.__typename) {
    case 'ChatStarted':
      progress.requestId = decodeText(event.requestId);
      if (progress.interruptCount > 0) stop(order, progress, progress.requestId);
      // It may come again, from another replica for example: then the answer is told from its start.
      if (progress.text !== '' && !isJson) shell.tell('\n(told again from its start)\n');
      progress.text = '';
      return null;
    case 'ChatDelta': {
      const piece = decodeNullable(event.content, decodeText) ?? '';
      progress.text += piece;
      if (!isJson) show(shell, piece);
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
    show(shell, `${JSON.stringify(result, null, 2)}\n`);
    return true;
  }
  // An answer that was kept comes whole, without pieces.
  const whole = decodeNullable(result.content, decodeText) ?? '';
  if (text === '' && whole !== '') show(shell, whole);
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

/** A file or a program gets what the model wrote, a terminal what is safe for it. */
function show({ isPiped, print }: Shell, text: string): void {
  print(isPiped ? text : plainText(text));
}

/** One line for people, with the code that docs/errors.md explains. */
function fail(
  { shell, isJson }: ChatOrder,
  error: { readonly code: string; readonly message: string; readonly costUsd?: string },
): false {
  if (isJson) show(shell, `${JSON.stringify({ error }, null, 2)}\n`);
  else shell.tell(`${error.code}: ${plainText(error.message)}\n`);
  return false;
}

function providerIn(holder: unknown): string {
  const { provider } = decodeFields(holder);
  return plainText(decodeText(decodeFields(provider).key));
}
