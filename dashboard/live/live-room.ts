import { signal } from '@preact/signals';
import type { Room, RoomActs } from '../model/room.ts';
import type { Notice } from '../model/room-state.ts';
import { type Board, makeBoard } from './board.ts';
import { type Bookmark, type Feeds, startFeeds } from './feeds.ts';
import { makeKeyRing } from './key-ring.ts';
import { keepLine, type Line } from './line.ts';
import { makeProviderActs, type Say } from './provider-acts.ts';
import { makeSelection } from './selection.ts';
import { makeTryIt } from './try-it.ts';
import { every, type World } from './world.ts';

const SECOND_MS = 1_000;

/** The room with a gateway behind it: connects, and stays connected for as long as the page is open. */
export function makeLiveRoom(world: World): Room {
  const board = makeBoard(world);
  const clock = makeClock(world);
  const keys = makeKeyRing(world.tabMemory);
  const bookmark: Bookmark = { after: null };
  let feeds: Feeds | null = null;
  let line: Line | null = null;
  const link = () => line?.link() ?? null;
  const selection = makeSelection({ board, link });
  const say = makeSay(board);
  const tryIt = makeTryIt({ world, board, link, say });

  /** Whoever was here is gone: what only they may see goes with them. */
  const leave = () => {
    keys.forget();
    bookmark.after = null;
    tryIt.reset();
    board.tell({ kind: 'forget' });
  };
  line = keepLine({
    world,
    key: keys.key,
    told(connection) {
      if (connection.kind === 'locked') leave();
      board.tell({ kind: 'connection', connection });
    },
    opened(opened) {
      feeds = startFeeds({
        world,
        board,
        link: opened,
        bookmark,
        timeTold: clock.told,
        requestTold: selection.changed,
      });
      selection.linked();
      tryIt.linked();
    },
    closed() {
      feeds?.stop();
      feeds = null;
    },
  });
  const acts: RoomActs = {
    ...makeProviderActs({ board, link, say }),
    setPrompt: tryIt.setPrompt,
    send: tryIt.send,
    stopAnswer: tryIt.stopAnswer,
    select: selection.select,
    deselect: selection.deselect,
    pause: () => board.tell({ kind: 'pause', atMs: world.now() }),
    resume: () => board.tell({ kind: 'resume' }),
    setWindow(window) {
      board.tell({ kind: 'window', window });
      feeds?.changeWindow();
    },
    dismiss: (noticeId) => board.tell({ kind: 'dismiss', noticeId }),
    enterKey(key, keep) {
      leave();
      keys.enter(key, keep);
      line.redial();
    },
    forgetKey() {
      leave();
      line.redial();
    },
  };
  return { see: board.see, acts, now: clock.now, hasKey: keys.hasKey };
}

function makeSay(board: Board): Say {
  let count = 0;
  const say = (notice: Omit<Notice, 'id'>) => {
    count += 1;
    board.tell({ kind: 'notice', notice: { id: count, ...notice } });
  };
  return {
    done: (text) => say({ tone: 'done', text, code: null }),
    failed: (text, code) => say({ tone: 'failed', text, code }),
  };
}

/** The gateway's clock, as far as it is known: what it says is counted down by that, however wrong the browser's is. */
function makeClock(world: World) {
  const now = signal(world.now());
  let aheadMs = 0;
  every(world, SECOND_MS, () => {
    now.value = world.now() + aheadMs;
  });
  return {
    now,
    told(atMs: number) {
      aheadMs = atMs - world.now();
    },
  };
}
