import { decodeFields, decodeText } from '../core/decode.ts';
import { type RequestId, requestId } from '../core/ids.ts';
import type { RequestRecord, RequestView } from '../core/request-record.ts';
import { decodeView, type View } from '../core/view.ts';
import { awaitRecord } from './await-record.ts';
import { reachOf } from './caller.ts';
import type { GatewayDeps } from './deps.ts';
import type { Gateway } from './gateway.ts';

/** What is said to the other replicas: the id of a chat that whoever runs it is to stop, if it is one that the asker may. */
const TOPIC = 'chat.cancel';

/** How long to wait for the end of a chat that was told to stop. */
const WAIT_MS = 5_000;

interface Order {
  readonly id: RequestId;
  /** Whose chats the asker may stop. */
  readonly reach: View;
}

/** Stops chats, wherever they run. Disposing of it makes this replica deaf to the others. */
export type Canceller = Pick<Gateway, 'cancelChat'> & Disposable;

export function makeCanceller(deps: GatewayDeps): Canceller {
  const heard = deps.store.onMessage(TOPIC, (text) => {
    const order = parseOrder(text);
    if (order !== null) void deps.live.stop(order.id, order.reach);
  });
  return {
    async cancelChat(wish) {
      const order = { id: wish.id, reach: reachOf(wish.caller) };
      const stopped = deps.live.stop(order.id, order.reach);
      const request =
        stopped === null ? await endedElsewhere(deps, order, wish.signal) : await endedHere(deps, wish.id, stopped);
      return request === null ? notFound(wish.id) : { kind: 'stopped', request };
    },
    [Symbol.dispose]: () => heard[Symbol.dispose](),
  };
}

/** As it ended; as it is now, when its end takes too long. Null when it ended before there was anything to record. */
async function endedHere(
  deps: GatewayDeps,
  id: RequestId,
  stopped: Promise<RequestRecord | null>,
): Promise<RequestView | null> {
  const late = Promise.withResolvers<null>();
  using _timer = deps.clock.after(WAIT_MS, () => late.resolve(null));
  return (await Promise.race([stopped, late.promise])) ?? deps.live.find(id);
}

async function endedElsewhere(deps: GatewayDeps, order: Order, signal: AbortSignal): Promise<RequestView | null> {
  const { store } = deps;
  const { id, reach: view } = order;
  // Only a database can have other replicas on it.
  const limitMs = store.kind === 'postgres' ? WAIT_MS : 0;
  // Said again and again: a message may be lost, and to stop a chat twice changes nothing.
  return awaitRecord(deps, { id, view, signal, limitMs, meanwhile: () => store.publish(TOPIC, JSON.stringify(order)) });
}

/** Null for what is none, such as a message of a version that knew of no callers: such an order is not carried out. */
function parseOrder(text: string): Order | null {
  try {
    const order = decodeFields(JSON.parse(text));
    return { id: requestId(decodeText(order.id)), reach: decodeView(order.reach) };
  } catch {
    return null;
  }
}

function notFound(id: RequestId) {
  return {
    kind: 'notFound',
    code: 'NOT_FOUND',
    message: `No request req_${id} of yours runs on a replica that could be reached, and none is recorded. Check the id: it is told as requestId, and in the header x-request-id.`,
    isRetryable: false,
    retryAfterMs: null,
  } as const;
}
