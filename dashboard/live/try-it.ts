import { CancelChat, Preview, TryIt } from '../documents.generated.ts';
import type { AnswerPiece } from '../model/answer.ts';
import { candidateOf, routingOf } from '../model/reading.ts';
import type { RoomActs } from '../model/room.ts';
import type { Fault } from '../model/room-state.ts';
import type { Board } from './board.ts';
import type { Link } from './link.ts';
import type { Say } from './provider-acts.ts';
import type { World } from './world.ts';

/** A preview is asked for when the user has not typed for this long. */
const REST_MS = 300;

interface TryItDeps {
  readonly world: World;
  readonly board: Board;
  readonly link: () => Link | null;
  readonly say: Say;
}

/** The box where a prompt is tried: previewed while it is typed, and sent. */
export interface TryItBox extends Pick<RoomActs, 'setPrompt' | 'send' | 'stopAnswer'> {
  /** There is a new link: what was under way goes on. */
  linked(): void;
  /** Whoever sent it is gone: it is stopped, as far as there is a way to say so. */
  reset(): void;
}

/** A chat that was sent. It keeps its name and place, so that it goes on over the next link and is never paid twice. */
interface Sent {
  readonly prompt: string;
  readonly idempotencyKey: string;
  /** Null: nothing came yet. */
  sequence: number | null;
  /** Null: the gateway has not said yet. */
  requestId: string | null;
  isUnwanted: boolean;
  leave: () => void;
}

export function makeTryIt({ world, board, link, say }: TryItDeps): TryItBox {
  let cancelPreview = () => {};
  let sent: Sent | null = null;

  const preview = () => {
    const { prompt } = board.known().tryIt;
    const now = link();
    if (now === null || prompt.trim() === '') return;
    const stop = now.run(
      Preview,
      { prompt },
      {
        data: ({ routePreview }) => {
          const { decision, selected, blockedBy, estimatedInputTokens, reservationUsd } = routePreview;
          const routing = routingOf(decision);
          board.tell({
            kind: 'preview',
            prompt,
            preview: {
              kind: 'routed',
              summary: routing.summary,
              selected: selected === null ? null : candidateOf(selected),
              routing,
              inputTokens: estimatedInputTokens,
              reservationUsd,
              blockedBy: blockedBy === null ? null : { code: blockedBy.code, message: blockedBy.message },
            },
          });
        },
        failed: ({ message: why }) => board.tell({ kind: 'preview', prompt, preview: { kind: 'refused', why } }),
        ended: () => {},
      },
    );
    cancelPreview = stop;
  };

  /** Whoever no longer listens to a chat with a key lets it run to its end: it must be told to stop. How it ended is told as of any answer. */
  const cancel = (chat: Sent, now: Link) => {
    const { requestId } = chat;
    // It is told as soon as the chat has its name.
    if (requestId === null) return;
    const failed = ({ code, message }: Fault) => {
      chat.isUnwanted = false;
      say.failed(`It was not stopped: ${message}`, code);
      board.tell({ kind: 'stopping', isStopping: false });
    };
    now.run(
      CancelChat,
      { requestId },
      { data: ({ cancelChat }) => 'code' in cancelChat && failed(cancelChat), failed, ended: () => {} },
    );
  };

  const listen = (chat: Sent, now: Link) => {
    const { prompt, idempotencyKey, sequence: resumeAfter } = chat;
    const take = (piece: AnswerPiece) => {
      if (chat.sequence !== null && piece.sequence <= chat.sequence) return;
      chat.sequence = piece.sequence;
      board.tell({ kind: 'piece', piece });
      if (piece.__typename !== 'ChatStarted') return;
      chat.requestId = piece.requestId;
      if (chat.isUnwanted) cancel(chat, now);
    };
    chat.leave = now.run(
      TryIt,
      { prompt, idempotencyKey, resumeAfter },
      {
        data: ({ chatStream }) => take(chatStream),
        failed: (error) => board.tell({ kind: 'brokenOff', error }),
        ended: () => {
          if (sent === chat) sent = null;
          board.tell({ kind: 'brokenOff', error: CUT_OFF });
        },
      },
    );
    if (chat.isUnwanted) cancel(chat, now);
  };

  return {
    setPrompt(text) {
      cancelPreview();
      board.tell({ kind: 'prompt', text });
      cancelPreview = world.after(REST_MS, preview);
    },
    send() {
      const { prompt } = board.known().tryIt;
      const now = link();
      if (now === null || sent !== null || prompt.trim() === '') return;
      board.tell({ kind: 'send' });
      const idempotencyKey = world.newName();
      sent = { prompt, idempotencyKey, sequence: null, requestId: null, isUnwanted: false, leave: () => {} };
      listen(sent, now);
    },
    stopAnswer() {
      if (sent === null || sent.isUnwanted) return;
      sent.isUnwanted = true;
      board.tell({ kind: 'stopping', isStopping: true });
      const now = link();
      // Without a link it is told over the next one.
      if (now !== null) cancel(sent, now);
    },
    linked() {
      const now = link();
      if (now === null) return;
      if (sent !== null) listen(sent, now);
      preview();
    },
    reset() {
      cancelPreview();
      const now = link();
      if (sent !== null && now !== null) cancel(sent, now);
      sent?.leave();
      sent = null;
    },
  };
}

/** Told only of an answer that has no end yet. */
const CUT_OFF = { code: 'INTERNAL', message: 'The answer ended before the gateway said how. The decision says more.' };
