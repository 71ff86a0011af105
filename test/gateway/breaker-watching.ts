import { ANONYMOUS, holdId, type ProviderKey, requestId } from '../../src/core/ids.ts';
import { ZERO_USD } from '../../src/core/money.ts';
import type { BreakerNotice } from '../../src/gateway/breaker-notice.ts';
import type { BreakerWatchAnswer } from '../../src/gateway/gateway.ts';
import type { Store } from '../../src/ports/store.ts';
import { newUuid } from '../../src/wiring/system.ts';

/** Longer than any notice takes; only a test that fails waits for it. */
const WAIT_MS_MAX = 8_000;

const FREE = { input: ZERO_USD, perOutputToken: ZERO_USD, outputTokensMax: 1, outputTokensMin: 1 };

/** Three failed attempts in a row, which open the breaker: one event. */
export async function trip(store: Store, provider: ProviderKey): Promise<void> {
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    const id = holdId(newUuid());
    await store.admit({
      requestId: requestId(newUuid()),
      attempt,
      holdId: id,
      account: ANONYMOUS,
      defaultCap: null,
      ceiling: null,
      candidates: [{ provider, model: 'any', bound: FREE }],
      attemptMs: 1_000,
    });
    await store.settle({
      holdId: id,
      charge: { kind: 'nothing' },
      verdict: { kind: 'failure', retryAfterMs: null, isSimulated: false },
      jitter: 0,
      throttledForMs: null,
      setAside: null,
    });
  }
}

/** Closes the breaker by hand: one event, when it was open. */
export async function heal(store: Store, provider: ProviderKey): Promise<void> {
  await store.resetBreaker(provider, { name: 'tester', reason: null });
}

export interface Reader {
  /** The next notice. Rejects when none comes in time or the stream has ended. */
  next(): Promise<BreakerNotice>;
  take(count: number): Promise<readonly BreakerNotice[]>;
  /** Resolves when the stream has ended; rejects when another notice comes first. */
  end(): Promise<void>;
}

export function readerOf(answer: BreakerWatchAnswer): Reader {
  if (answer.kind !== 'watching') throw new RangeError(answer.message);
  const iterator = answer.notices[Symbol.asyncIterator]();
  const next = async () => {
    const step = await inTime(iterator.next());
    if (step.done === true) throw new RangeError('the stream has ended');
    return step.value;
  };
  return {
    next,
    async take(count) {
      const notices: BreakerNotice[] = [];
      while (notices.length < count) notices.push(await next());
      return notices;
    },
    async end() {
      const step = await inTime(iterator.next());
      if (step.done !== true) throw new RangeError(`another notice came: ${step.value.kind}`);
    },
  };
}

export function sequenceOf(notice: BreakerNotice): number {
  return notice.kind === 'changed' ? notice.event.sequence : notice.sequence;
}

async function inTime<Result>(work: Promise<Result>): Promise<Result> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('nothing came in time')), WAIT_MS_MAX);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
