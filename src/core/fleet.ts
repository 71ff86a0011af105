/** How many replicas of the fleet have one configuration. */
export interface ConfigShare {
  readonly configHash: string;
  readonly replicas: number;
}

/** The replicas that share a store and were seen in the last minute, by their configuration; the most common one first. */
export type Fleet = readonly ConfigShare[];

/** How long a replica counts as living after it was last seen. */
export const FLEET_LIVE_MS = 60_000;

/** True when all replicas have one configuration. */
export function isAgreed(fleet: Fleet): boolean {
  return fleet.length <= 1;
}

/** Who has which configuration, in a few words for people. */
export function describeFleet(fleet: Fleet): string {
  return fleet.map(({ configHash, replicas }) => `${configHash} on ${replicas}`).join(', ');
}

/** How many replicas have another configuration. */
export function differingFrom(configHash: string, fleet: Fleet): number {
  return replicasOf(fleet.filter((share) => share.configHash !== configHash));
}

/** How many replicas there are, whatever their configuration. */
export function replicasOf(fleet: Fleet): number {
  return fleet.reduce((sum, share) => sum + share.replicas, 0);
}
