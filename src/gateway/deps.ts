import type { HoldId, ProviderKey } from '../core/ids.ts';
import type { PicoUsd } from '../core/money.ts';
import type { Registry } from '../core/registry.ts';
import type { Chance, Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { ProviderPort } from '../ports/provider.ts';
import type { SimulatorPort } from '../ports/simulator.ts';
import type { Store } from '../ports/store.ts';
import type { GatewayInfo } from './gateway.ts';
import type { PaceBook } from './pace-book.ts';

/** Everything the gateway needs from outside. Time, chance and the network come in here. */
export interface GatewayDeps {
  readonly registry: Registry;
  readonly info: GatewayInfo;
  readonly store: Store;
  /** One for each provider of the registry. */
  readonly providers: ReadonlyMap<ProviderKey, ProviderPort>;
  readonly simulator: SimulatorPort;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly newHoldId: () => HoldId;
  readonly log: Log;
  readonly paces: PaceBook;
  /** The cap of a user whom no operator gave another. */
  readonly budgetDefault: PicoUsd;
  /** How long the request log is kept at least, in days. */
  readonly logRetentionDays: number;
}
