import type { HoldId } from '../core/ids.ts';
import type { PicoUsd } from '../core/money.ts';
import type { Chance, Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Meters } from '../ports/meters.ts';
import type { MakeSeal } from '../ports/seal.ts';
import type { SimulatorPort } from '../ports/simulator.ts';
import type { Store } from '../ports/store.ts';
import type { Configuration, Configurations } from './configuration.ts';
import type { Contents } from './contents.ts';
import type { ReplicaInfo } from './gateway.ts';
import type { HeldBook } from './held-book.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import type { LimitDesk } from './limit-desk.ts';
import type { LiveChats } from './live-chats.ts';
import type { PaceBook } from './pace-book.ts';
import type { RetryBook } from './retry-book.ts';
import type { WaitingBook } from './waiting.ts';
import type { WatchedBudgets } from './watched-budgets.ts';

/** What the parts of the gateway share: what comes from outside, and the background work beside the requests. */
export interface GatewayDeps extends GatewayNeeds {
  readonly leases: LeaseKeeper;
  readonly held: HeldBook;
  /** The chats that run here. */
  readonly live: LiveChats;
  readonly watchedBudgets: WatchedBudgets;
  readonly limits: LimitDesk;
  readonly waiting: WaitingBook;
  readonly content: Contents;
}

/** The same for one chat, with the configuration that it began with. */
export interface ChatDeps extends GatewayDeps, Configuration {}

/** Everything the gateway needs from outside. Time, chance and the network come in here. */
export interface GatewayNeeds {
  readonly configurations: Configurations;
  readonly info: ReplicaInfo;
  readonly store: Store;
  readonly simulator: SimulatorPort;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly newHoldId: () => HoldId;
  /** SHA-256 of a text, in hexadecimal digits. */
  readonly digest: (text: string) => string;
  /** Random bytes that nobody can guess, for secrets. */
  readonly randomBytes: (count: number) => Uint8Array;
  /** The digest of the operator's own key. Null: there is none. */
  readonly adminKeyHash: string | null;
  readonly makeSeal: MakeSeal;
  readonly log: Log;
  readonly meters: Meters;
  readonly paces: PaceBook;
  readonly retries: RetryBook;
  /** The cap of a user whom no operator gave another. */
  readonly budgetDefault: PicoUsd;
  /** How long the request log is kept at least, in days. */
  readonly logRetentionDays: number;
}
