import type { ModelSpec } from '../core/registry.ts';
import type { Clock } from '../ports/clock.ts';
import type { OnDelta } from '../ports/provider.ts';

/** How long the first piece of a streamed answer may take, and every later one after the one before. */
export const STREAM_LIMITS = { firstMs: 15_000, idleMs: 20_000 } as const;

/** Watches over one streamed attempt. Disposing stops its timers. */
export interface StreamWatch extends Disposable {
  readonly onDelta: OnDelta;
  /** By the monotonic clock. Null before the first piece. */
  firstAtMs(): number | null;
}

/**
 * Passes the pieces of an answer on, and gives up a provider that falls silent: what keeps a connection alive is no piece. A model
 * that may think unseen has no limit for its first one but the attempt's own.
 */
export function watchStream(of: {
  readonly model: ModelSpec;
  readonly clock: Clock;
  readonly onDelta: OnDelta;
  readonly giveUp: () => void;
}): StreamWatch {
  const { clock } = of;
  let firstAtMs: number | null = null;
  let timer: Disposable | null = null;
  const expect = (ms: number) => {
    timer?.[Symbol.dispose]();
    timer = clock.after(ms, of.giveUp);
  };
  if (!of.model.capabilities.includes('reasoning')) expect(STREAM_LIMITS.firstMs);
  return {
    onDelta(delta) {
      firstAtMs ??= clock.elapsedMs();
      expect(STREAM_LIMITS.idleMs);
      of.onDelta(delta);
    },
    firstAtMs: () => firstAtMs,
    [Symbol.dispose]: () => timer?.[Symbol.dispose](),
  };
}
