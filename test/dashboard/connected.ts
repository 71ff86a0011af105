import { makeLiveRoom } from '../../dashboard/live/live-room.ts';
import type { Room } from '../../dashboard/model/room.ts';
import { type FakeLink, type FakeWorld, makeFakeWorld } from './fake-world.ts';
import { allProviders, facts } from './wire.ts';

/** A room whose gateway is there and has said the first things. */
export interface Scene {
  readonly world: FakeWorld;
  readonly room: Room;
  /** The newest connection. */
  readonly link: () => FakeLink;
}

export function connected(kept: string | null = null): Scene {
  const world = makeFakeWorld(kept);
  const room = makeLiveRoom(world);
  const link = () => world.links.at(-1)!;
  greet(link());
  world.draw();
  return { world, room, link };
}

/** The gateway takes the connection, and says which providers there are. */
export function greet(link: FakeLink): void {
  link.events.opened();
  link.run('GatewayFacts').data(facts('a', '1'));
  link.run('GatewayFacts').ended();
  link.run('AllProviders').data(allProviders('openai', 'google'));
  link.run('AllProviders').ended();
}

/** What was asked for, in order. */
export const names = (link: FakeLink) => link.runs.map(({ name }) => name);
