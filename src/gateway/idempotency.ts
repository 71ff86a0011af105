import type { ChatOutcome, NotRun } from '../core/outcome.ts';
import type { Clock } from '../ports/clock.ts';
import { type ChatEvent, chat } from './chat.ts';
import type { GatewayDeps } from './deps.ts';
import type { ChatCall } from './gateway.ts';
import { setOut } from './journey.ts';
import { keepOutcome } from './keep-outcome.ts';
import { claimOrWait } from './key-claim.ts';

/** What chats whose callers have left get to settle when the gateway stops. */
const STOP_MS = 3_000;

/** Chats of which only one runs, however often it is sent with the same idempotency key. Disposing of it stops what still runs. */
export interface KeyedChats extends AsyncDisposable {
  /** As `chat` when there is no key. With one, runs the chat if no other sending does, and otherwise tells how that one ended. */
  run(call: ChatCall): AsyncGenerator<ChatEvent, ChatOutcome | NotRun>;
}

interface Run {
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

export function makeKeyedChats(deps: GatewayDeps): KeyedChats {
  const runs = new Set<Run>();
  let isStopping = false;
  return {
    async *run(call) {
      const { idempotencyKey } = call.request;
      if (idempotencyKey === null) return yield* chat(deps, call);
      const journey = setOut(deps, call);
      const found = await claimOrWait(deps, call, { key: idempotencyKey, deadline: journey.deadline });
      if (found.kind === 'told') return found.outcome;

      const ended = Promise.withResolvers<void>();
      const run = { stop: new AbortController(), ended: ended.promise };
      runs.add(run);
      if (isStopping) run.stop.abort();
      let outcome: ChatOutcome | NotRun | null = null;
      try {
        // Not the caller's own signal: whoever lost the connection comes back with the key, and shall find the answer.
        outcome = yield* chat(deps, { ...call, signal: run.stop.signal }, journey);
        await keepOutcome(deps, found.claim, run.stop.signal.aborted && isCancelled(outcome) ? null : ranTo(outcome));
        return outcome;
      } finally {
        // Not waited for: whoever is told that the store is away is told so at once.
        if (outcome === null) void keepOutcome(deps, found.claim, null);
        runs.delete(run);
        ended.resolve();
      }
    },
    async [Symbol.asyncDispose]() {
      isStopping = true;
      for (const { stop } of runs) stop.abort();
      await within(Promise.all(Array.from(runs, ({ ended }) => ended)), deps.clock);
    },
  };
}

/** How it ended. Null: it was not run, and the key is free for another sending. */
function ranTo(outcome: ChatOutcome | NotRun): ChatOutcome | null {
  return outcome.kind === 'notRun' ? null : outcome;
}

/** Those who wait shall not hear that they left because this replica stops: another one runs it. */
function isCancelled(outcome: ChatOutcome | NotRun): boolean {
  return outcome.kind === 'ended' && outcome.why.kind === 'cancelled';
}

async function within(work: Promise<unknown>, clock: Clock): Promise<void> {
  const late = Promise.withResolvers<void>();
  using _timer = clock.after(STOP_MS, late.resolve);
  await Promise.race([work, late.promise]);
}
