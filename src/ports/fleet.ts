import type { Fleet } from '../core/fleet.ts';

/** What a replica says of itself. */
export interface Heartbeat {
  /** Of the software. */
  readonly version: string;
  readonly configHash: string;
  readonly priceListVersion: string;
}

/** Which replicas share the store. For people only: no decision depends on it. */
export interface FleetPort {
  /** Says that this replica lives. Answers everyone who was seen in the last minute, this replica included. */
  beat(heartbeat: Heartbeat): Promise<Fleet>;
  /** Says that this replica stops: it is not counted from now on. */
  leave(): Promise<void>;
}
