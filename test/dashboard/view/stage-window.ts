import type { RoomState } from '../../../dashboard/model/room-state.ts';
import type { SceneName } from './scenes.ts';

/** What a test may do to the page: play a scene, move the picture and the clock, and read what the user did. */
export interface Stage {
  play(scene: SceneName): void;
  show(change: Partial<RoomState>): void;
  setNow(nowMs: number): void;
  readonly state: () => RoomState;
  /** What the user did since the scene began. */
  readonly done: string[];
}

declare global {
  interface Window {
    stage: Stage;
  }
}
