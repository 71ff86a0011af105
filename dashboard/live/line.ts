import type { Connection } from '../model/room-state.ts';
import type { Link } from './link.ts';
import type { World } from './world.ts';

/** Each try waits twice as long as the one before, and somewhere between half of that and all of it: pages must not come back in step. */
const RETRY = { firstMs: 500, mostMs: 15_000, doublingsMax: 5 } as const;

/** How the gateway closes a connection whose key it does not take: none or a wrong one, and one that has ended meanwhile. */
const REFUSALS: Readonly<Record<number, { readonly withKey: string; readonly without: string }>> = {
  4401: {
    withKey: 'This key does not work: it is mistyped, unknown, expired or revoked.',
    without: 'This gateway asks for an API key.',
  },
  4403: { withKey: 'This key has ended.', without: 'This gateway asks for an API key.' },
};

export interface LineDeps {
  readonly world: World;
  /** Null: nobody in particular comes. */
  readonly key: () => string | null;
  /** There is a new link: everything is asked for anew. */
  readonly opened: (link: Link) => void;
  readonly told: (connection: Connection) => void;
  /** The link is gone, for whatever reason. */
  readonly closed: () => void;
}

/** Keeps a link open, for as long as it takes. */
export interface Line {
  /** Null: there is none now. */
  link(): Link | null;
  /** Hangs up and connects anew at once. */
  redial(): void;
}

export function keepLine(deps: LineDeps): Line {
  const { world, told } = deps;
  let link: Link | null = null;
  /** Grows with each try: what is told of an older one does not count. */
  let tries = 0;
  let failures = 0;
  let lostAtMs: number | null = null;
  let cancelRetry = () => {};

  const lose = (code: number) => {
    link = null;
    deps.closed();
    const refusal = REFUSALS[code];
    if (refusal !== undefined) {
      lostAtMs = null;
      told({ kind: 'locked', why: deps.key() === null ? refusal.without : refusal.withKey });
      return;
    }
    const waitMs = waitAfter(failures, world.chance());
    failures += 1;
    lostAtMs ??= world.now();
    told({ kind: 'lost', sinceMs: lostAtMs, retryAtMs: world.now() + waitMs });
    cancelRetry = world.after(waitMs, dial);
  };

  function dial() {
    tries += 1;
    const mine = tries;
    const isMine = () => mine === tries;
    told(lostAtMs === null ? { kind: 'connecting' } : { kind: 'lost', sinceMs: lostAtMs, retryAtMs: null });
    const key = deps.key();
    const fresh = world.openLink(key === null ? null : `Bearer ${key}`, {
      opened() {
        if (!isMine()) return;
        failures = 0;
        lostAtMs = null;
        link = fresh;
        told({ kind: 'live', roundTripMs: null });
        deps.opened(fresh);
      },
      answered(roundTripMs) {
        if (isMine() && link !== null) told({ kind: 'live', roundTripMs: Math.round(roundTripMs) });
      },
      closed(code) {
        if (isMine()) lose(code);
      },
    });
    close = () => fresh.close();
  }
  let close = () => {};
  dial();

  return {
    link: () => link,
    redial() {
      cancelRetry();
      // The old one is nobody's from here on.
      tries += 1;
      close();
      if (link !== null) deps.closed();
      link = null;
      failures = 0;
      lostAtMs = null;
      dial();
    },
  };
}

function waitAfter(failures: number, chance: number): number {
  const fullMs = Math.min(RETRY.mostMs, RETRY.firstMs * 2 ** Math.min(failures, RETRY.doublingsMax));
  return fullMs * (0.5 + chance / 2);
}
