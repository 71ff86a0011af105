import type { PageDocument } from '../documents.generated.ts';
import type { Fault, PartName } from '../model/room-state.ts';
import type { Board } from './board.ts';
import type { Link, Sent } from './link.ts';
import type { World } from './world.ts';

/** A stream that ended is begun anew after this. */
const AGAIN_MS = 3_000;

/** Asking again does not help. */
const FINAL_CODES: readonly string[] = [
  'FORBIDDEN',
  'UNAUTHENTICATED',
  'PERSISTED_DOCUMENT_NOT_FOUND',
  'PERSISTED_DOCUMENT_REQUIRED',
];

interface Question<Data, Variables extends Sent> {
  /** The part of the picture that is fed by it. */
  readonly part: PartName;
  readonly document: PageDocument<Data, Variables>;
  /** Asked for each time that it begins. */
  readonly variables: () => Variables;
  readonly data: (data: Data) => void;
  readonly failed?: (fault: Fault) => void;
}

/** Asks over one link, and tells of each part whether it is fed. */
export interface Asking {
  /** Asks once. `done`: there is an answer, or a refusal. */
  read<Data, Variables extends Sent>(question: Question<Data, Variables>, done?: () => void): void;
  /** Follows a stream, and begins it anew whenever it ends. Answers how to stop. */
  follow<Data, Variables extends Sent>(question: Question<Data, Variables>): () => void;
  stop(): void;
}

export function makeAsking({
  world,
  board,
  link,
}: {
  readonly world: World;
  readonly board: Board;
  readonly link: Link;
}): Asking {
  let isOver = false;
  const ask = <Data, Variables extends Sent>(
    question: Question<Data, Variables>,
    ended: (isFinal: boolean) => void,
  ) => {
    const { part: name, document, variables } = question;
    let isFinal = false;
    return link.run(document, variables(), {
      data(data) {
        board.tell({ kind: 'part', name, part: { kind: 'ok' } });
        question.data(data);
      },
      failed(fault) {
        isFinal ||= FINAL_CODES.includes(fault.code);
        board.tell({ kind: 'part', name, part: { kind: 'refused', code: fault.code, why: fault.message } });
        question.failed?.(fault);
      },
      ended: () => ended(isFinal),
    });
  };
  return {
    read(question, done = () => {}) {
      if (!isOver) ask(question, done);
    },
    follow(question) {
      let isLeft = false;
      const begin = () => {
        if (isLeft || isOver) return;
        leave = ask(question, (isFinal) => {
          if (!isFinal) leave = world.after(AGAIN_MS, begin);
        });
      };
      let leave = () => {};
      begin();
      return () => {
        isLeft = true;
        leave();
      };
    },
    stop() {
      isOver = true;
    },
  };
}
