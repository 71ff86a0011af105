import type { ReadonlySignal } from '@preact/signals';
import type { FailureMode, RoomState, WindowName } from './room-state.ts';

/** One signal for each part of the picture, so that only what changed is drawn again. Items that did not change stay the same objects. */
export type RoomSignals = { readonly [Name in keyof RoomState]: ReadonlySignal<RoomState[Name]> };

/** What the page is given: what to show, and what the user may do. */
export interface Room {
  readonly see: RoomSignals;
  readonly acts: RoomActs;
  /** Epoch milliseconds by the gateway's clock, once a second: for countdowns. */
  readonly now: ReadonlySignal<number>;
  /** Whether the page comes with a key, whichever it is: then it can be forgotten. */
  readonly hasKey: ReadonlySignal<boolean>;
}

/** What a user does. None waits: what came of it is told by the picture. */
export interface RoomActs {
  /** The picture stands still; nothing is lost. */
  pause(): void;
  resume(): void;
  /** Other figures: the picture moves again. */
  setWindow(window: WindowName): void;
  /** Providers are named by their keys. */
  simulate(provider: string, wish: SimulationWish): void;
  stopSimulation(provider: string): void;
  resetBreaker(provider: string): void;
  enable(provider: string): void;
  disable(provider: string): void;
  /** Looks at the why of a request. */
  select(requestId: string): void;
  deselect(): void;
  setPrompt(text: string): void;
  /** Sends the prompt as it stands. It spends money as any chat. */
  send(): void;
  stopAnswer(): void;
  /** Takes a notice away. */
  dismiss(noticeId: number): void;
  /** Kept in this tab's memory, and until the tab is closed if the user wishes so. */
  enterKey(key: string, keep: 'untilReload' | 'untilTabCloses'): void;
  forgetKey(): void;
}

export interface SimulationWish {
  readonly mode: FailureMode;
  readonly durationS: number;
}
