import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Room } from '../model/room.ts';

const RoomContext = createContext<Room | null>(null);

export const RoomProvider = RoomContext.Provider;

export function useRoom(): Room {
  const room = useContext(RoomContext);
  if (room === null) throw new TypeError('drawn outside of a control room');
  return room;
}
