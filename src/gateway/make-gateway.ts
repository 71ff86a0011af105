import { parseChat } from '../core/parse-chat.ts';
import { makeKeyDirectory } from './api-keys.ts';
import { startAuthentication } from './authenticate.ts';
import { startBooksCheck } from './books.ts';
import { makeBreakerHub } from './breaker-hub.ts';
import { makeBudgetHub } from './budget-hub.ts';
import { makeBudgets } from './budgets.ts';
import { makeCanceller } from './cancel.ts';
import type { ChatEvent } from './chat.ts';
import { makeContents } from './contents.ts';
import type { GatewayDeps, GatewayNeeds } from './deps.ts';
import { joinFleet } from './fleet.ts';
import { startForgetter } from './forgetter.ts';
import type { ChatCall, Gateway, GatewayInfo, ParsedChat } from './gateway.ts';
import { makeHeldBook } from './held-book.ts';
import { makeKeyedChats } from './idempotency.ts';
import { startJanitor } from './janitor.ts';
import { startLeaseKeeper } from './lease-keeper.ts';
import { makeLimitDesk } from './limit-desk.ts';
import { makeLiveChats } from './live-chats.ts';
import { invalidInput, makeOperations } from './operations.ts';
import { preview } from './preview.ts';
import { startReaper } from './reaper.ts';
import { makeRequestHub } from './request-hub.ts';
import { makeRequestReader } from './request-reader.ts';
import { stopRevoked } from './revocations.ts';
import { startStandings } from './standings.ts';
import { makeChatStreams } from './streams.ts';
import { tellEnd } from './tell-end.ts';
import { makeTickHub } from './tick-hub.ts';
import { makeWaitingBook } from './waiting.ts';

/** The gateway as the doors see it. Disposing of it ends its background work, and the chats that run on without a caller. */
export function makeGateway(needs: GatewayNeeds): Gateway & AsyncDisposable {
  const { configurations } = needs;
  const budgetHub = makeBudgetHub(needs);
  const deps: GatewayDeps = {
    ...needs,
    leases: startLeaseKeeper(needs),
    held: makeHeldBook(needs.meters),
    live: makeLiveChats(),
    watchedBudgets: budgetHub,
    limits: makeLimitDesk(needs),
    waiting: makeWaitingBook(needs),
    content: makeContents(needs),
  };
  const hub = makeBreakerHub(deps);
  const requests = makeRequestHub(deps);
  const tickHub = makeTickHub(deps);
  const canceller = makeCanceller(deps);
  const member = joinFleet(deps);
  const chats = makeKeyedChats(deps);
  const run = (call: ChatCall) => tellEnd(deps, call, chats.run(call));
  const streams = makeChatStreams(deps, run);
  const authentication = startAuthentication(needs);
  const revocations = stopRevoked(deps, authentication);
  const upkeep = startUpkeep(deps);
  return {
    get registry() {
      return configurations.now().registry;
    },
    get info() {
      return infoOf(needs);
    },
    fleet: member.fleet,
    authenticate: (secret) => authentication.authenticate(secret),
    onKeyEnded: (act) => authentication.onKeyEnded(act),
    parseChat: (raw) => checked(parseChat(raw, configurations.now().registry)),
    chat: (call) => collect(run(call)),
    stream: (call) => streams.open(call),
    unreadStreams: () => streams.unread(),
    preview: (call) => preview({ ...deps, ...configurations.now() }, call),
    watchBreakers: (watch) => hub.watch(watch),
    contentOf: (view, caller) => deps.content.find(view, caller),
    watchRequests: (watch) => requests.watch(watch),
    cancelChat: (wish) => canceller.cancelChat(wish),
    watchTicks: (watch) => tickHub.watch(watch),
    watchBudgets: (watch) => budgetHub.watch(watch),
    ...makeLimitReader(deps),
    ...makeStateReader(needs),
    ...makeRequestReader(deps),
    ...makeBudgets(deps),
    ...makeOperations(deps),
    ...makeKeyDirectory(needs, authentication),
    async [Symbol.asyncDispose]() {
      // Streams with a key are chats that are stopped first; then whatever is left of streams ends by itself.
      await chats[Symbol.asyncDispose]();
      await streams[Symbol.asyncDispose]();
      canceller[Symbol.dispose]();
      revocations[Symbol.dispose]();
      await requests[Symbol.asyncDispose]();
      await hub[Symbol.asyncDispose]();
      // Side by side: each may have to wait for a store that does not answer.
      const works = [...upkeep, tickHub, budgetHub, member, authentication, deps.leases, deps.content];
      await Promise.all(works.map((work) => work[Symbol.asyncDispose]()));
    },
  };
}

/** A fault in the input as the doors tell it. */
function checked(parsed: ReturnType<typeof parseChat>): ParsedChat {
  return parsed.kind === 'valid' ? parsed : invalidInput(parsed.issues);
}

function infoOf({ info, configurations }: GatewayNeeds): GatewayInfo {
  const { configHash, areSimulationsEnabled } = configurations.now();
  return { ...info, configHash, areSimulationsEnabled };
}

function makeStateReader({
  store,
  clock,
  configurations,
}: GatewayNeeds): Pick<
  Gateway,
  'surveyProviders' | 'breakerHistory' | 'findBreakerEvent' | 'now' | 'storeMode' | 'configFault'
> {
  return {
    surveyProviders: () => store.survey(),
    breakerHistory: (provider, page) => store.history(provider, page),
    findBreakerEvent: (sequence) => store.findEvent(sequence),
    now: () => clock.now(),
    storeMode: () => store.mode(),
    configFault: () => configurations.fault(),
  };
}

/** What was learnt of providers and models is kept as long as the registry has them. */
function forgetWhatLeft({ configurations, paces, retries }: GatewayNeeds): AsyncDisposable {
  const changes = configurations.onExchange(({ registry }) => {
    paces.keepOnly(registry);
    retries.keepOnly(registry);
  });
  return { [Symbol.asyncDispose]: async () => changes[Symbol.dispose]() };
}

function makeLimitReader({ limits }: GatewayDeps): Pick<Gateway, 'rateLimitOf' | 'limitsSeen'> {
  return { rateLimitOf: (caller) => limits.rateLimitOf(caller), limitsSeen: (caller) => limits.lastSeen(caller) };
}

/** What goes on in the background whoever asks for what. */
function startUpkeep(deps: GatewayDeps): readonly AsyncDisposable[] {
  const { store } = deps;
  const forgetters = [
    startForgetter(deps, (countMax) => store.forgetKeys(countMax)),
    startForgetter(deps, (countMax) => store.forgetCallers(countMax)),
  ];
  const own = [
    startReaper(deps),
    startBooksCheck(deps),
    startStandings(deps),
    startJanitor(deps),
    forgetWhatLeft(deps),
  ];
  return [...own, ...forgetters];
}

/** Runs a chat to its end for a caller who only wants the outcome. */
async function collect<Outcome>(events: AsyncGenerator<ChatEvent, Outcome>): Promise<Outcome> {
  for (;;) {
    const step = await events.next();
    if (step.done === true) return step.value;
  }
}
