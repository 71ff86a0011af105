import { batch, type Signal, signal } from '@preact/signals';
import { render } from 'preact';
import type { Room, RoomActs } from '../../../../dashboard/model/room.ts';
import type { RoomState } from '../../../../dashboard/model/room-state.ts';
import { ControlRoom } from '../../../../dashboard/view/control-room.tsx';
import { NOW_MS } from '../cast.ts';
import { SCENES, type SceneName } from '../scenes.ts';
import type { Stage } from '../stage-window.ts';

type Signals = { [Name in keyof RoomState]: Signal<RoomState[Name]> };

function makeSignals(state: RoomState): Signals {
  const entries = Object.entries(state).map(([name, value]) => [name, signal(value)]);
  return Object.fromEntries(entries) as Signals;
}

function isScene(name: string): name is SceneName {
  return name in SCENES;
}

/** Acts that are written down, and that change what the page would be lost without. */
function makeActs(see: Signals, done: string[]): RoomActs {
  const told =
    (name: string) =>
    (...given: readonly unknown[]) => {
      done.push([name, ...given.map((value) => JSON.stringify(value))].join(' '));
    };
  return {
    pause: told('pause'),
    resume: told('resume'),
    setWindow: (window) => {
      see.window.value = window;
    },
    simulate: told('simulate'),
    stopSimulation: told('stopSimulation'),
    resetBreaker: told('resetBreaker'),
    enable: told('enable'),
    disable: told('disable'),
    select: (id) => {
      done.push(`select ${id}`);
      see.selected.value = { id, detail: SCENES.why.selected?.detail ?? 'loading' };
    },
    deselect: () => {
      see.selected.value = null;
    },
    setPrompt: (prompt) => {
      see.tryIt.value = { ...see.tryIt.value, prompt };
    },
    send: told('send'),
    stopAnswer: told('stopAnswer'),
    dismiss: told('dismiss'),
    enterKey: told('enterKey'),
    forgetKey: told('forgetKey'),
  };
}

const wanted = new URLSearchParams(location.search).get('scene') ?? 'calm';
const see = makeSignals(SCENES[isScene(wanted) ? wanted : 'calm']);
const now = signal(NOW_MS);
const done: string[] = [];
const room: Room = { see, acts: makeActs(see, done), now, hasKey: signal(true) };

function show(change: Partial<RoomState>): void {
  batch(() => {
    for (const [name, value] of Object.entries(change)) see[name as keyof RoomState].value = value as never;
  });
}

const stage: Stage = {
  play: (scene) => {
    done.length = 0;
    now.value = NOW_MS;
    show(SCENES[scene]);
  },
  show,
  setNow: (nowMs) => {
    now.value = nowMs;
  },
  state: () =>
    Object.fromEntries(Object.entries(see).map(([name, { value }]) => [name, value])) as unknown as RoomState,
  done,
};
window.stage = stage;

const root = document.getElementById('room');
if (root !== null) render(<ControlRoom room={room} />, root);
