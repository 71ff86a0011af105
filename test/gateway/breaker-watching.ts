import { ANONYMOUS, holdId, type ProviderKey, requestId } from '../../src/core/ids.ts';
import { ZERO_USD } from '../../src/core/money.ts';
import type { BreakerNotice } from '../../src/gateway/breaker-notice.ts';
import type { BreakerWatchAnswer } from '../../src/gateway/gateway.ts';
import type { Store } from '../../src/ports/store.ts';
import { newUuid } from '../../src/wiring/system.ts';
import { type Reader, read } from './reading.ts';

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
      also: [],
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

export function readerOf(answer: BreakerWatchAnswer): Reader<BreakerNotice> {
  if (answer.kind !== 'watching') throw new RangeError(answer.message);
  return read(answer.notices);
}

export function sequenceOf(notice: BreakerNotice): number {
  return notice.kind === 'changed' ? notice.event.sequence : notice.sequence;
}
