/** How many replicas of the fleet have one configuration. */
export interface ConfigShare {
  readonly configHash: string;
  readonly replicas: number;
}

/** The replicas that share a store and were seen in the last minute, by their configuration; the most common one first. */
export type Fleet = readonly ConfigShare[];

/** How long a replica counts as living after it was last seen. */
export const FLEET_LIVE_MS = 60_000;

/** How many replicas there are, whatever their configuration. */
export function replicasOf(fleet: Fleet): number {
  return fleet.reduce((sum, share) => sum + share.replicas, 0);
}
