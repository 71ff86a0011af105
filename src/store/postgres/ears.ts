import type postgres from 'postgres';
import type { ReplicaId } from '../../core/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { Lane } from './lane.ts';

/**
 * How often it is asked whether we still hear, and how long the answer may take once PostgreSQL has it. Together no less than a
 * connection may take to open: else each would be given up that was nearly there, for ever.
 */
const EARS = { checkEveryMs: 3_000, echoMsMax: 2_000 } as const;

/** A name in PostgreSQL has 63 bytes: this, and the UUID of a replica. */
const ECHO_PREFIX = 'switchyard_echo_';

/** The connection that hears what is notified. What is said while it opens, or is deaf, is lost. */
export interface Ears extends AsyncDisposable {
  /** Hears a channel from soon on. `onBegin` runs whenever hearing begins, the first time and each time after it was lost. */
  hear(channel: string, act: (payload: string) => void, onBegin?: () => void): void;
  /** The connection is not to be trusted any more: another one takes its place. */
  renew(): void;
}

type Channel = Parameters<Ears['hear']>;

/**
 * A connection that only listens never learns that its other end is gone: nothing is sent over it, and a way that swallows
 * everything, as after a failover or in a NAT that forgot it, resets nothing. So we say something to ourselves every few seconds.
 */
export function makeEars(of: {
  readonly replica: ReplicaId;
  readonly clock: Clock;
  readonly log: Log;
  /** A client that connects when it is first used. */
  readonly open: () => postgres.Sql;
  /** Sends the echo, by another connection. */
  readonly say: Lane['run'];
}): Ears {
  const echo = `${ECHO_PREFIX}${of.replica}`;
  const channels: Channel[] = [];
  let client = of.open();
  let isClosed = false;

  const begin = ([channel, act, onBegin]: Channel) => {
    const used = client;
    const ifStill = (then: () => void) => {
      if (used === client) then();
    };
    const begun = used.listen(
      channel,
      (payload) => ifStill(() => act(payload)),
      () => ifStill(() => onBegin?.()),
    );
    // The client tries again by itself, and if it does not, no echo comes.
    begun.catch((error: unknown) => of.log.debug('a channel is not heard yet', { channel, error: String(error) }));
  };
  const renew = () => {
    if (isClosed || channels.length === 0) return;
    // What is under way was said to the old one.
    echoes.onEcho();
    void client.end({ timeout: 0 });
    client = of.open();
    for (const channel of channels) begin(channel);
  };
  const echoes = makeEchoes({ ...of, call: () => of.say((sql) => sql`select pg_notify(${echo}, '')`), onDeaf: renew });
  const add = (channel: Channel) => {
    channels.push(channel);
    begin(channel);
  };

  return {
    hear(...channel) {
      if (channels.length === 0) {
        add([echo, echoes.onEcho]);
        echoes.start();
      }
      add(channel);
    },
    renew,
    async [Symbol.asyncDispose]() {
      isClosed = true;
      echoes[Symbol.dispose]();
      await client.end({ timeout: 1 });
    },
  };
}

/** Calls again and again, and says when no echo comes. */
function makeEchoes(of: {
  readonly clock: Clock;
  readonly log: Log;
  readonly call: () => Promise<unknown>;
  readonly onDeaf: () => void;
}): Disposable & { start(): void; onEcho(): void } {
  const { clock, log } = of;
  let echo = Promise.withResolvers<true>();
  let isDeaf = false;
  let timer: Disposable | null = null;
  let isClosed = false;

  const check = async () => {
    echo = Promise.withResolvers();
    try {
      await of.call();
    } catch {
      // Away, or a connection that broke: nothing is known of ours. The lane has told whom it concerns.
      return;
    }
    if (isClosed || (await isInTime(echo.promise, clock))) {
      isDeaf = false;
      return;
    }
    if (!isDeaf) log.warn('PostgreSQL is not heard any more: it is listened to over a new connection');
    isDeaf = true;
    of.onDeaf();
  };
  const start = () => {
    timer = clock.after(EARS.checkEveryMs, () => {
      void check().finally(() => {
        if (!isClosed) start();
      });
    });
  };
  return {
    start,
    onEcho: () => echo.resolve(true),
    [Symbol.dispose]() {
      isClosed = true;
      timer?.[Symbol.dispose]();
      echo.resolve(true);
    },
  };
}

async function isInTime(echo: Promise<true>, clock: Clock): Promise<boolean> {
  const late = Promise.withResolvers<false>();
  using _timer = clock.after(EARS.echoMsMax, () => late.resolve(false));
  return await Promise.race([echo, late.promise]);
}
