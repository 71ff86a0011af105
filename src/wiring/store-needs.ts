import type { ReplicaId } from '../core/ids.ts';
import type { Registry } from '../core/registry.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Meters } from '../ports/meters.ts';
import type { FindPackage } from '../store/embedded/binaries.ts';

/** What it takes to open a store, whichever it is. */
export interface StoreNeeds {
  readonly registry: Registry;
  readonly replica: ReplicaId;
  readonly clock: Clock;
  readonly log: Log;
  readonly meters: Meters;
  /** Told what takes time and what people must know. */
  readonly note: (message: string) => void;
  /** Where the embedded server's package is looked for. Default: among the packages installed beside us. */
  readonly findPackage?: FindPackage;
}
