import type { FleetPort } from '../../ports/fleet.ts';

/** A fleet of one: nobody else can see this process's memory. */
export function makeMemoryFleet(): FleetPort {
  return {
    beat: async ({ configHash }) => [{ configHash, replicas: 1 }],
    leave: async () => undefined,
  };
}
