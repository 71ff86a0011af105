import { wholeOf } from '../core/delta.ts';
import { idempotencyConflict } from '../core/ended.ts';
import { fingerprintOf } from '../core/fingerprint.ts';
import type { RequestId } from '../core/ids.ts';
import type { ChatOutcome, NotRun } from '../core/outcome.ts';
import { payerOf } from './caller.ts';
import type { ChatEvent } from './chat.ts';
import type { GatewayDeps } from './deps.ts';
import type { ChatCall, StreamCall, UnreadStreams } from './gateway.ts';
import { makeStreamLog, type StreamLog, type StreamPiece } from './stream-log.ts';

/** How long a stream with an idempotency key is kept after its end, and how many are, with how many characters of pieces together. */
export const STREAM_KEEPING = { keptMs: 60_000, keptMax: 1_000, keptCharsMax: 64 * 1024 * 1024 } as const;

/** Streamed chats of this replica. Disposing stops them. */
export interface ChatStreams extends AsyncDisposable {
  /**
   * Runs a chat and tells its events. With an idempotency key that a stream of this replica has, joins that one instead, whether
   * it still runs or has ended. Throws what the chat throws.
   */
  open(call: StreamCall): AsyncGenerator<StreamPiece, void>;
  /** Those that run although nobody reads them at this moment. */
  unread(): UnreadStreams;
}

type Run = (call: ChatCall) => AsyncGenerator<ChatEvent, ChatOutcome | NotRun>;

/** How a chat ended: what came of it, or what it threw. */
type End =
  | { readonly kind: 'told'; readonly outcome: ChatOutcome | NotRun }
  | { readonly kind: 'threw'; readonly error: unknown };

/** One chat that runs, or has ended, and those who read it. */
interface Running {
  readonly requestId: RequestId;
  /** Equal when the same was asked. Null without a key, when nobody asks for it again. */
  readonly body: string | null;
  readonly log: StreamLog;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
  readers: number;
  end: End | null;
  /** Until it is forgotten. Null when it is not kept. */
  timer: Disposable | null;
}

function begin(deps: GatewayDeps, run: Run, call: StreamCall): Running {
  const log = makeStreamLog(deps.clock);
  const stop = new AbortController();
  const ended = Promise.withResolvers<void>();
  const running: Running = {
    requestId: call.requestId,
    body: bodyOf(call),
    log,
    stop,
    ended: ended.promise,
    readers: 0,
    end: null,
    timer: null,
  };
  const chat = run({ ...call, signal: stop.signal, onDelta: (delta) => log.append({ kind: 'delta', delta }) });
  const end = (how: End) => {
    running.end = how;
    log.close();
    ended.resolve();
  };
  tellOf(chat, log).then(
    (outcome) => end({ kind: 'told', outcome }),
    (error: unknown) => end({ kind: 'threw', error }),
  );
  return running;
}

export function makeChatStreams(deps: GatewayDeps, run: Run): ChatStreams {
  const keyed = new Map<string, Running>();
  const all = new Set<Running>();

  const start = (call: StreamCall) => {
    const running = begin(deps, run, call);
    all.add(running);
    void running.ended.then(() => all.delete(running));
    return running;
  };
  let keptChars = 0;
  const forget = (key: string, kept: Running) => {
    kept.timer?.[Symbol.dispose]();
    keyed.delete(key);
    keptChars -= kept.log.chars();
  };
  const keep = (key: string, ended: Running) => {
    keptChars += ended.log.chars();
    ended.timer = deps.clock.after(STREAM_KEEPING.keptMs, () => forget(key, ended));
    for (const [oldKey, old] of keyed) {
      if (keyed.size <= STREAM_KEEPING.keptMax && keptChars <= STREAM_KEEPING.keptCharsMax) break;
      // Whoever runs may still be joined, and whoever has just ended is yet to be kept.
      if (old.timer !== null) forget(oldKey, old);
    }
  };
  const startKeyed = (call: StreamCall, key: string): Running => {
    const running = start(call);
    keyed.set(key, running);
    void running.ended.then(() => {
      // Another ending frees the key: whoever sends it again wants another try.
      if (running.end?.kind === 'told' && running.end.outcome.kind === 'answered') keep(key, running);
      else keyed.delete(key);
    });
    return running;
  };
  /**
   * One without a key will not be asked for again, and ends. One with a key is a keyed chat, which goes by a signal of its own: it runs
   * on, since its reader comes back, perhaps to another replica. Only what waits for another sending with the key waits no more.
   */
  const left = (running: Running) => {
    running.readers -= 1;
    if (running.readers === 0) running.stop.abort();
  };

  return {
    async *open(call) {
      const key = keyOf(deps, call);
      const known = key === null ? undefined : keyed.get(key);
      if (known !== undefined && known.body !== bodyOf(call)) return yield* conflictWith(known);
      const running = known ?? (key === null ? start(call) : startKeyed(call, key));
      running.readers += 1;
      try {
        yield* read(running, { from: known === undefined ? 0 : placeIn(known, call.resumeAfter), signal: call.signal });
      } finally {
        left(running);
      }
    },
    unread() {
      const running = Array.from(all).filter(({ readers }) => readers === 0);
      return { count: running.length, whenEnded: () => allOf(running) };
    },
    async [Symbol.asyncDispose]() {
      for (const { stop } of all) stop.abort();
      await allOf([...all]);
      for (const { timer } of keyed.values()) timer?.[Symbol.dispose]();
      keyed.clear();
    },
  };
}

/** Null: each sending is a stream of its own. */
function keyOf(deps: GatewayDeps, { request, caller }: StreamCall): string | null {
  if (request.idempotencyKey === null) return null;
  const { account } = payerOf(caller, request.userId, deps.budgetDefault);
  return `${account}\n${request.idempotencyKey}`;
}

function bodyOf({ request }: StreamCall): string | null {
  return request.idempotencyKey === null ? null : fingerprintOf(request);
}

async function allOf(runs: readonly Running[]): Promise<void> {
  await Promise.all(runs.map(({ ended }) => ended));
}

/**
 * Where to go on in a stream that is known here. A place that it has not reached was told of another run, at another replica or
 * before a failure: then it is told from its start. Whoever has everything is told its end again.
 */
function placeIn({ log, end }: Running, resumeAfter: number | null): number {
  const wanted = (resumeAfter ?? -1) + 1;
  if (wanted > log.length()) return 0;
  return end !== null && wanted === log.length() ? wanted - 1 : wanted;
}

async function* read(
  running: Running,
  { from, signal }: { readonly from: number; readonly signal: AbortSignal },
): AsyncGenerator<StreamPiece, void> {
  for (let next = from; ; next += 1) {
    const found = await running.log.read(next, signal);
    switch (found.kind) {
      case 'event':
        yield found.placed;
        break;
      case 'lost':
        yield { kind: 'lost' };
        return;
      case 'over':
        if (running.end?.kind === 'threw' && !signal.aborted) throw running.end.error;
        return;
      default:
        return found satisfies never;
    }
  }
}

function* conflictWith({ requestId }: Running): Generator<StreamPiece, void> {
  yield { sequence: 0, event: { kind: 'ended', outcome: { kind: 'notRun', requestId, why: idempotencyConflict() } } };
}

/** Writes down what happens to a chat. One that was not run here, but is told of, is told in the same order. */
async function tellOf(
  chat: AsyncGenerator<ChatEvent, ChatOutcome | NotRun>,
  log: StreamLog,
): Promise<ChatOutcome | NotRun> {
  let isStarted = false;
  for (;;) {
    const step = await chat.next();
    if (step.done !== true) {
      isStarted = true;
      log.append(step.value);
      continue;
    }
    const outcome = step.value;
    if (!isStarted && outcome.kind === 'answered') {
      log.append({ kind: 'started', requestId: outcome.requestId, routing: outcome.routing });
      for (const delta of wholeOf(outcome.answer)) log.append({ kind: 'delta', delta });
    }
    log.append({ kind: 'ended', outcome });
    return outcome;
  }
}
