import type { ChatOutcome } from '../core/outcome.ts';
import { parseChat } from '../core/parse-chat.ts';
import { makeBreakerHub } from './breaker-hub.ts';
import { makeBudgets } from './budgets.ts';
import { type ChatEvent, chat } from './chat.ts';
import type { GatewayDeps } from './deps.ts';
import type { Gateway } from './gateway.ts';
import { startJanitor } from './janitor.ts';
import { invalidInput, makeOperations } from './operations.ts';
import { preview } from './preview.ts';
import { startReaper } from './reaper.ts';

/** The gateway as the doors see it. Disposing of it ends its background work; what runs is not waited for. */
export function makeGateway(deps: GatewayDeps): Gateway & AsyncDisposable {
  const { registry, store, info, clock } = deps;
  const hub = makeBreakerHub(deps);
  const reaper = startReaper(deps);
  const janitor = startJanitor(deps);
  return {
    registry,
    info,
    parseChat(raw) {
      const parsed = parseChat(raw, registry);
      return parsed.kind === 'valid' ? parsed : invalidInput(parsed.issues);
    },
    chat: (call) => collect(chat(deps, call)),
    preview: (call) => preview(deps, call),
    surveyProviders: () => store.survey(),
    statsOf: (provider, window) => store.statsOf(provider, window),
    breakerHistory: (provider, page) => store.history(provider, page),
    findBreakerEvent: (sequence) => store.findEvent(sequence),
    watchBreakers: (watch) => hub.watch(watch),
    findRequest: (id) => store.find(id),
    pageRequests: (query) => store.page(query),
    analyse: (query) => store.analyse(query),
    now: () => clock.now(),
    ...makeBudgets(deps),
    ...makeOperations(deps),
    async [Symbol.asyncDispose]() {
      await hub[Symbol.asyncDispose]();
      await reaper[Symbol.asyncDispose]();
      await janitor[Symbol.asyncDispose]();
    },
  };
}

/** Runs a chat to its end for a caller who only wants the outcome. */
async function collect(events: AsyncGenerator<ChatEvent, ChatOutcome>): Promise<ChatOutcome> {
  for (;;) {
    const step = await events.next();
    if (step.done === true) return step.value;
  }
}
