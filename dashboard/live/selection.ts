import { OneRequest } from '../documents.generated.ts';
import { detailOf } from '../model/reading.ts';
import type { RoomActs } from '../model/room.ts';
import type { Selected } from '../model/room-state.ts';
import type { Board } from './board.ts';
import type { Link } from './link.ts';

interface SelectionDeps {
  readonly board: Board;
  readonly link: () => Link | null;
}

/** The one request whose why is looked at. */
export interface Selection extends Pick<RoomActs, 'select' | 'deselect'> {
  /** Something happened to this request. */
  changed(id: string): void;
  /** There is a new link. */
  linked(): void;
}

export function makeSelection({ board, link }: SelectionDeps): Selection {
  let stop = () => {};
  const read = (id: string) => {
    stop();
    const tell = (detail: Selected['detail']) => board.tell({ kind: 'detail', selected: { id, detail } });
    const now = link();
    // With the next link it is read.
    if (now === null) return;
    stop = now.run(
      OneRequest,
      { id },
      {
        data: ({ request }) => tell(request === null ? 'gone' : detailOf(request)),
        failed: ({ message: why }) => tell({ kind: 'refused', why }),
        ended: () => {},
      },
    );
  };
  return {
    select(id) {
      board.tell({ kind: 'select', selected: { id, detail: 'loading' } });
      read(id);
    },
    deselect() {
      stop();
      board.tell({ kind: 'select', selected: null });
    },
    changed(id) {
      if (board.known().selected?.id === id) read(id);
    },
    linked() {
      const selected = board.known().selected;
      if (selected !== null) read(selected.id);
    },
  };
}
