import { batch, type Signal, signal } from '@preact/signals';
import type { RoomSignals } from '../model/room.ts';
import type { RoomState } from '../model/room-state.ts';
import { BEGINNING, next, type RoomEvent, type Story, seen } from '../model/story.ts';
import type { World } from './world.ts';

/** What is known, and what of it is shown: however much happens, it is shown once for each frame that is drawn. */
export interface Board {
  readonly see: RoomSignals;
  tell(event: RoomEvent): void;
  /** As it is now, shown or not. */
  known(): RoomState;
}

type Written = { readonly [Name in keyof RoomState]: Signal<RoomState[Name]> };

export function makeBoard(world: Pick<World, 'beforeFrame'>): Board {
  let story: Story = BEGINNING;
  let isDue = false;
  const see = signalsOf(seen(story));
  const show = () => {
    isDue = false;
    const room = seen(story);
    batch(() => {
      for (const name of NAMES) write(see, room, name);
    });
  };
  return {
    see,
    tell(event) {
      story = next(story, event);
      if (isDue) return;
      isDue = true;
      world.beforeFrame(show);
    },
    known: () => story.live,
  };
}

const NAMES = [
  'connection',
  'gateway',
  'window',
  'paused',
  'totals',
  'series',
  'providers',
  'decisions',
  'missedDecisions',
  'selected',
  'budgets',
  'parts',
  'tryIt',
  'notices',
] as const satisfies readonly (keyof RoomState)[];

function write<Name extends keyof RoomState>(see: Written, room: RoomState, name: Name): void {
  see[name].value = room[name];
}

function signalsOf(room: RoomState): Written {
  return {
    connection: signal(room.connection),
    gateway: signal(room.gateway),
    window: signal(room.window),
    paused: signal(room.paused),
    totals: signal(room.totals),
    series: signal(room.series),
    providers: signal(room.providers),
    decisions: signal(room.decisions),
    missedDecisions: signal(room.missedDecisions),
    selected: signal(room.selected),
    budgets: signal(room.budgets),
    parts: signal(room.parts),
    tryIt: signal(room.tryIt),
    notices: signal(room.notices),
  };
}
