import type { RequestId } from '../core/ids.ts';
import type { RequestRecord } from '../core/request-record.ts';
import { isSeen, type View } from '../core/view.ts';
import type { GatewayDeps } from './deps.ts';
import { pause } from './pause.ts';

/** How long to pause before looking again: soon at first, then less and less often. */
const PAUSE = { firstMs: 25, growth: 1.5, mostMs: 500 } as const;

/** The record of a request that another replica has, or had: looks into the log until it is there. Null when it does not come in time. */
export async function awaitRecord(
  deps: Pick<GatewayDeps, 'store' | 'clock'>,
  of: {
    readonly id: RequestId;
    /** What it does not show is waited for like what is not there: nobody can tell one from the other. */
    readonly view: View;
    readonly limitMs: number;
    readonly signal: AbortSignal;
    /** Done before each pause. */
    readonly meanwhile: () => void;
  },
): Promise<RequestRecord | null> {
  const { store, clock } = deps;
  const endsAtMs = clock.elapsedMs() + of.limitMs;
  for (let pauseMs: number = PAUSE.firstMs; ; pauseMs = Math.min(pauseMs * PAUSE.growth, PAUSE.mostMs)) {
    const found = await store.find(of.id);
    const record = found !== null && isSeen(found, of.view) ? found : null;
    const leftMs = endsAtMs - clock.elapsedMs();
    if (record !== null || leftMs <= 0 || of.signal.aborted) return record;
    of.meanwhile();
    await pause(clock, Math.min(pauseMs, leftMs), of.signal);
  }
}
