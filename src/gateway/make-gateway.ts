import { parseChat } from '../core/parse-chat.ts';
import { startBooksCheck } from './books.ts';
import { makeBreakerHub } from './breaker-hub.ts';
import { makeBudgetHub } from './budget-hub.ts';
import { makeBudgets } from './budgets.ts';
import { makeCanceller } from './cancel.ts';
import type { ChatEvent } from './chat.ts';
import type { GatewayDeps, GatewayNeeds } from './deps.ts';
import { joinFleet } from './fleet.ts';
import type { Gateway } from './gateway.ts';
import { makeKeyedChats } from './idempotency.ts';
import { startJanitor } from './janitor.ts';
import { startKeyForgetter } from './key-forgetter.ts';
import { startLeaseKeeper } from './lease-keeper.ts';
import { makeLiveChats } from './live-chats.ts';
import { invalidInput, makeOperations } from './operations.ts';
import { preview } from './preview.ts';
import { startReaper } from './reaper.ts';
import { makeRequestHub } from './request-hub.ts';
import { makeRequestReader } from './request-reader.ts';
import { makeChatStreams } from './streams.ts';
import { makeTickHub } from './tick-hub.ts';

/** The gateway as the doors see it. Disposing of it ends its background work, and the chats that run on without a caller. */
export function makeGateway(needs: GatewayNeeds): Gateway & AsyncDisposable {
  const { registry, store, info, clock } = needs;
  const budgetHub = makeBudgetHub(needs);
  const deps: GatewayDeps = {
    ...needs,
    leases: startLeaseKeeper(needs),
    live: makeLiveChats(),
    watchedBudgets: budgetHub,
  };
  const hub = makeBreakerHub(deps);
  const requests = makeRequestHub(deps);
  const tickHub = makeTickHub(deps);
  const canceller = makeCanceller(deps);
  const reaper = startReaper(deps);
  const books = startBooksCheck(deps);
  const member = joinFleet(deps);
  const chats = makeKeyedChats(deps);
  const streams = makeChatStreams(deps, (call) => chats.run(call));
  const forgetter = startKeyForgetter(deps);
  const janitor = startJanitor(deps);
  return {
    registry,
    info,
    fleet: member.fleet,
    parseChat(raw) {
      const parsed = parseChat(raw, registry);
      return parsed.kind === 'valid' ? parsed : invalidInput(parsed.issues);
    },
    chat: (call) => collect(chats.run(call)),
    stream: (call) => streams.open(call),
    unreadStreams: () => streams.unread(),
    preview: (call) => preview(deps, call),
    surveyProviders: () => store.survey(),
    breakerHistory: (provider, page) => store.history(provider, page),
    findBreakerEvent: (sequence) => store.findEvent(sequence),
    watchBreakers: (watch) => hub.watch(watch),
    watchRequests: (watch) => requests.watch(watch),
    cancelChat: (wish) => canceller.cancelChat(wish),
    watchTicks: (watch) => tickHub.watch(watch),
    watchBudgets: (watch) => budgetHub.watch(watch),
    now: () => clock.now(),
    storeMode: () => store.mode(),
    ...makeRequestReader(deps),
    ...makeBudgets(deps),
    ...makeOperations(deps),
    async [Symbol.asyncDispose]() {
      // Streams with a key are chats that are stopped first; then whatever is left of streams ends by itself.
      await chats[Symbol.asyncDispose]();
      await streams[Symbol.asyncDispose]();
      canceller[Symbol.dispose]();
      await requests[Symbol.asyncDispose]();
      await hub[Symbol.asyncDispose]();
      // Side by side: each may have to wait for a store that does not answer.
      const works = [tickHub, budgetHub, reaper, deps.leases, books, member, forgetter, janitor];
      await Promise.all(works.map((work) => work[Symbol.asyncDispose]()));
    },
  };
}

/** Runs a chat to its end for a caller who only wants the outcome. */
async function collect<Outcome>(events: AsyncGenerator<ChatEvent, Outcome>): Promise<Outcome> {
  for (;;) {
    const step = await events.next();
    if (step.done === true) return step.value;
  }
}
