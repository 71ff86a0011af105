import { Preview, TryIt } from '../documents.generated.ts';
import { candidateOf, routingOf } from '../model/reading.ts';
import type { RoomActs } from '../model/room.ts';
import type { Board } from './board.ts';
import type { Link } from './link.ts';
import type { World } from './world.ts';

/** A preview is asked for when the user has not typed for this long. */
const REST_MS = 300;

interface TryItDeps {
  readonly world: World;
  readonly board: Board;
  readonly link: () => Link | null;
}

/** The box where a prompt is tried: previewed while it is typed, and sent. */
export interface TryItBox extends Pick<RoomActs, 'setPrompt' | 'send' | 'stopAnswer'> {
  /** There is a new link: what was under way goes on. */
  linked(): void;
  /** Ends what is under way. */
  reset(): void;
}

/** A chat that was sent. It keeps its name and place, so that it goes on over the next link and is never paid twice. */
interface Sent {
  readonly prompt: string;
  readonly idempotencyKey: string;
  /** Null: nothing came yet. */
  sequence: number | null;
  stop: () => void;
}

export function makeTryIt({ world, board, link }: TryItDeps): TryItBox {
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

  const listen = (chat: Sent, now: Link) => {
    const { prompt, idempotencyKey, sequence: resumeAfter } = chat;
    chat.stop = now.run(
      TryIt,
      { prompt, idempotencyKey, resumeAfter },
      {
        data: ({ chatStream: piece }) => {
          if (chat.sequence !== null && piece.sequence <= chat.sequence) return;
          chat.sequence = piece.sequence;
          board.tell({ kind: 'piece', piece });
        },
        failed: (error) => board.tell({ kind: 'brokenOff', error }),
        ended: () => {
          if (sent === chat) sent = null;
          board.tell({ kind: 'brokenOff', error: CUT_OFF });
        },
      },
    );
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
      sent = { prompt, idempotencyKey: world.newName(), sequence: null, stop: () => {} };
      listen(sent, now);
    },
    stopAnswer() {
      if (sent === null) return;
      sent.stop();
      sent = null;
      board.tell({ kind: 'brokenOff', error: STOPPED });
    },
    linked() {
      const now = link();
      if (now === null) return;
      if (sent !== null) listen(sent, now);
      preview();
    },
    reset() {
      cancelPreview();
      sent = null;
      board.tell({ kind: 'brokenOff', error: STOPPED });
    },
  };
}

/** Told only of an answer that has no end yet. */
const CUT_OFF = { code: 'INTERNAL', message: 'The answer ended before the gateway said how. The decision says more.' };

const STOPPED = {
  code: 'CANCELLED',
  message: 'You stopped it. What was produced until then is paid for; the decision says how much.',
};
