import type { ReplicaId } from '../../core/ids.ts';
import { StoreUnavailable } from '../../core/unavailable.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { Late, within } from '../time-limit.ts';
import { type Ears, makeEars } from './ears.ts';
import { connectTo, type Lane, makeLane } from './lane.ts';
import { type Presence, watchPresence } from './presence.ts';

/**
 * How much longer than an act a read of the read side may take, and the long acts of upkeep. And how long the connection of the
 * exchange may be silent: a new one is slow at first, since it has to prepare large functions, so on a crowded server one that went at
 * the first late answer would be followed by one that is late as well, for ever.
 */
const PATIENCE = { readFactor: 4, upkeepMs: 30_000, exchangeSilenceMs: 1_000 } as const;

/** Connections of each lane. One where what is sent must arrive in its order. */
const CONNECTIONS = { exchange: 1, act: 4, limits: 4, record: 1, read: 6, upkeep: 1, wire: 1, ears: 1 } as const;

/** How a store is reached. */
export interface ConnectionSettings {
  readonly url: string;
  /** The longest wait for one act of the request path, in milliseconds. A read may take four times as long. */
  readonly timeoutMs: number;
  readonly replica: ReplicaId;
  readonly clock: Clock;
  readonly log: Log;
}

/** The lanes to one PostgreSQL. Every wait has an end. */
export interface Connection extends AsyncDisposable {
  readonly presence: Presence;
  /** Acts that were combined into one call, one call at a time. */
  readonly exchange: Lane['run'];
  /** Settles as `work` does, but no later than one act may take, its wait for others included; then with `StoreUnavailable`. */
  readonly inTime: <Result>(work: PromiseLike<Result>) => Promise<Result>;
  /** Single acts of the request path, and of operators. */
  readonly act: Lane['run'];
  /** What callers may use: a flood of one key must not take away what keys are looked up and revoked by. */
  readonly limits: Lane['run'];
  /** Writes of the request log. */
  readonly record: Lane['run'];
  /** Reads of the read side. */
  readonly read: Lane['run'];
  /** Work that no request waits for. */
  readonly upkeep: Lane['run'];
  /** Says things to other replicas, in order. */
  readonly wire: Lane['run'];
  /** Hears hints, and other replicas. */
  readonly ears: Pick<Ears, 'hear'>;
}

export function connect(settings: ConnectionSettings): Connection {
  const { timeoutMs: limitMs } = settings;
  const presence = watchPresence({ ...settings, limitMs, onReturn: () => ears.renew() });
  const lanes: Lane[] = [];
  const lane = (connectionsMax: number, limit: number, silenceMsMax = 0): Lane['run'] => {
    const made = makeLane({ ...settings, connectionsMax, limitMs: limit, silenceMsMax, presence });
    lanes.push(made);
    return made.run;
  };
  const readMs = limitMs * PATIENCE.readFactor;
  const wire = lane(CONNECTIONS.wire, limitMs);
  const ears = makeEars({
    ...settings,
    open: () => connectTo(settings.url, { connectionsMax: CONNECTIONS.ears, limitMs: readMs }),
    say: wire,
  });
  return {
    presence,
    exchange: lane(CONNECTIONS.exchange, limitMs, PATIENCE.exchangeSilenceMs),
    async inTime(work) {
      try {
        return await within(work, { ...settings, limitMs });
      } catch (error) {
        throw error instanceof Late ? new StoreUnavailable(error.message) : error;
      }
    },
    act: lane(CONNECTIONS.act, limitMs),
    limits: lane(CONNECTIONS.limits, limitMs),
    record: lane(CONNECTIONS.record, readMs),
    read: lane(CONNECTIONS.read, readMs),
    upkeep: lane(CONNECTIONS.upkeep, PATIENCE.upkeepMs),
    wire,
    ears,
    async [Symbol.asyncDispose]() {
      await presence[Symbol.asyncDispose]();
      // Side by side: each may have to wait for a connection that swallows everything.
      await Promise.all([ears, ...lanes].map((made) => made[Symbol.asyncDispose]()));
    },
  };
}
