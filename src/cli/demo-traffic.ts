import { decodeFields, decodeNullable, decodeNumber, decodeText, type Fields } from '../core/decode.ts';
import type { Chance, Clock } from '../ports/clock.ts';
import { pause } from '../providers/pause.ts';
import { askGateway, type GatewayAddress } from './ask-gateway.ts';
import { type Actor, CAST, drawActor, drawOne, drawPrompt } from './demo-cast.ts';
import { subscribe } from './event-stream.ts';

/** What the demonstration keeps to. More than `runningMax` requests at once wait for nobody: they are left out. */
const LIMITS = { runningMax: 50, streamedShare: 0.15, budgetsEveryMs: 5_000 } as const;

/** The first requests come faster: whoever opens the page at once must not find it empty. */
const START = { requests: 12, everyMs: 60 } as const;

/** When a provider breaks by itself, and for how long: the first time soon, so that nobody has to wait to see it. */
const OUTAGES = { firstMs: 12_000, leastMs: 75_000, spreadMs: 60_000, duration: 'PT30S' } as const;

/** Each opens a breaker, which is what there is to see: a provider that limits its rate is waited for, and not broken. */
const FAILURES = ['ERROR', 'ERROR', 'MALFORMED', 'TIMEOUT'] as const;

const CHAT = `mutation ($input: ChatInput!) { chat(input: $input) {
  ... on ChatSuccess { provider { key } } ... on ApiError { code } } }`;

const STREAM = `subscription ($input: ChatInput!) { chatStream(input: $input) {
  ... on ChatCompleted { result { provider { key } } } ... on ChatFailed { error { code } } } }`;

const SET_BUDGET = `mutation ($input: SetBudgetInput!) { setBudget(input: $input) {
  ... on SetBudgetSuccess { budget { limitUsd } } ... on InvalidInputError { message } } }`;

const SIMULATE = `mutation ($input: SimulateFailureInput!) { simulateFailure(input: $input) {
  ... on SimulateFailureSuccess { provider { key } } ... on ApiError { code } } }`;

export interface Traffic {
  readonly gateway: GatewayAddress;
  readonly clock: Clock;
  readonly chance: Chance;
  /** Requests a second on average. */
  readonly rate: number;
  readonly signal: AbortSignal;
}

/** Sends requests through the front door, as callers do, until the signal aborts. Who asks what is drawn from one seed. */
export async function runTraffic(traffic: Traffic): Promise<void> {
  const answered = { lately: null };
  await Promise.all([keepBudgets(traffic), sendRequests(traffic, answered), breakProviders(traffic, answered)]);
}

/** Who answered last: a provider that gets no requests would break unseen. */
interface Answered {
  lately: string | null;
}

async function sendRequests(traffic: Traffic, answered: Answered): Promise<void> {
  const { chance, clock, signal, rate } = traffic;
  let running = 0;
  for (let sent = 0; !signal.aborted; sent += 1) {
    const actor = drawActor(chance);
    const input = actor === undefined ? null : inputOf(actor, chance);
    const send = chance.next() < LIMITS.streamedShare ? askStreamed : ask;
    if (input !== null && running < LIMITS.runningMax) {
      running += 1;
      void send(traffic, input).then((provider) => {
        running -= 1;
        answered.lately = provider ?? answered.lately;
      });
    }
    // As independent callers come: the waits between them are exponential.
    const waitMs = (-Math.log(1 - chance.next()) * 1_000) / rate;
    await pause({ clock, ms: sent < START.requests ? START.everyMs : waitMs, signal });
  }
}

function inputOf(actor: Actor, chance: Chance): Fields {
  return { prompt: drawPrompt(actor, chance), userId: actor.userId, metadata: { app: actor.app } };
}

/** The provider that answered. Null: none did. */
async function ask({ gateway }: Traffic, input: Fields): Promise<string | null> {
  const answer = await askGateway(gateway, { query: CHAT, variables: { input } });
  return answer.kind === 'answered' ? providerIn(decodeFields(answer.data.chat)) : null;
}

async function askStreamed({ gateway, signal }: Traffic, input: Fields): Promise<string | null> {
  let provider: string | null = null;
  for await (const event of subscribe(gateway, { query: STREAM, variables: { input } }, signal)) {
    if (event.kind !== 'event') return null;
    const { result } = decodeFields(event.data.chatStream);
    if (result !== undefined) provider = providerIn(decodeFields(result));
  }
  return provider;
}

function providerIn({ provider }: Fields): string | null {
  return provider === undefined ? null : decodeText(decodeFields(provider).key);
}

/** Gives everybody a budget, and raises it as an operator would, so that each stays in the state that it is there to show. */
async function keepBudgets(traffic: Traffic): Promise<void> {
  const { clock, signal } = traffic;
  await Promise.all(CAST.map(({ userId, limitUsd }) => setBudget(traffic, { userId, limitUsd })));
  while (!signal.aborted) {
    await pause({ clock, ms: LIMITS.budgetsEveryMs, signal });
    if (!signal.aborted) await Promise.all(CAST.map((actor) => raiseBudget(traffic, actor)));
  }
}

async function raiseBudget(traffic: Traffic, { userId, raise }: Actor): Promise<void> {
  if (raise === null) return;
  const query = 'query ($userId: String!) { budget(userId: $userId) { spentUsd utilization } }';
  const answer = await askGateway(traffic.gateway, { query, variables: { userId } });
  const budget = answer.kind === 'answered' ? decodeNullable(answer.data.budget, decodeFields) : null;
  if (budget === null || decodeNumber(budget.utilization) <= raise.above) return;
  const limitUsd = (decodeNumber(budget.spentUsd) / raise.to).toFixed(2);
  await setBudget(traffic, { userId, limitUsd });
}

async function setBudget(
  { gateway }: Traffic,
  input: { readonly userId: string; readonly limitUsd: string },
): Promise<void> {
  await askGateway(gateway, { query: SET_BUDGET, variables: { input } });
}

/** Breaks the provider that answered last, for a while: its breaker opens, the others take over, and it heals. */
async function breakProviders({ gateway, clock, chance, signal }: Traffic, answered: Answered): Promise<void> {
  await pause({ clock, ms: OUTAGES.firstMs, signal });
  while (!signal.aborted) {
    const mode = drawOne(FAILURES, chance);
    const input = { providerId: answered.lately, mode, duration: OUTAGES.duration };
    if (answered.lately !== null) await askGateway(gateway, { query: SIMULATE, variables: { input } });
    await pause({ clock, ms: OUTAGES.leastMs + chance.next() * OUTAGES.spreadMs, signal });
  }
}
