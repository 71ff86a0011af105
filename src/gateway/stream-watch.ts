import type { ModelSpec } from '../core/registry.ts';
import type { Clock } from '../ports/clock.ts';
import type { OnDelta } from '../ports/provider.ts';
import { type Silence, watchSilence } from './silence.ts';

/** How long the first piece of a streamed answer may take, and every later one after the one before. */
export const STREAM_LIMITS = { firstMs: 15_000, idleMs: 20_000 } as const;

/** Watches over one streamed attempt. Disposing stops its timers. */
export interface StreamWatch extends Disposable {
  readonly onDelta: OnDelta;
  /** By the monotonic clock. Null before the first piece. */
  firstAtMs(): number | null;
  /** Milliseconds between two pieces, on average. Null with fewer than two. */
  perPieceMs(): number | null;
}

/**
 * Passes the pieces of an answer on, and gives up a provider that falls silent: what keeps a connection alive is no piece. A model
 * that may think unseen has no limit for its first one but the attempt's own.
 */
export function watchStream(of: {
  readonly model: ModelSpec;
  readonly clock: Clock;
  readonly onDelta: OnDelta;
  /** Told before the first piece. */
  readonly onFirst: () => void;
  readonly giveUp: () => void;
}): StreamWatch {
  const { clock } = of;
  let firstAtMs: number | null = null;
  let pieces = 0;
  const first = of.model.capabilities.includes('reasoning') ? null : clock.after(STREAM_LIMITS.firstMs, of.giveUp);
  let idle: Silence | null = null;
  return {
    onDelta(delta) {
      if (idle === null) {
        firstAtMs = clock.elapsedMs();
        first?.[Symbol.dispose]();
        idle = watchSilence({ clock, ms: STREAM_LIMITS.idleMs, act: of.giveUp });
        of.onFirst();
      }
      idle.heard();
      pieces += 1;
      of.onDelta(delta);
    },
    firstAtMs: () => firstAtMs,
    perPieceMs: () =>
      idle === null || firstAtMs === null || pieces < 2 ? null : (idle.lastAtMs() - firstAtMs) / (pieces - 1),
    [Symbol.dispose]() {
      first?.[Symbol.dispose]();
      idle?.[Symbol.dispose]();
    },
  };
}
