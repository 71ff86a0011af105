import { type RequestId, requestId } from '../core/ids.ts';
import type { RequestRecord, RequestView } from '../core/request-record.ts';
import { awaitRecord } from './await-record.ts';
import type { GatewayDeps } from './deps.ts';
import type { CancelWish, Gateway } from './gateway.ts';

/** What is said to the other replicas: the id of a chat that whoever runs it is to stop. */
const TOPIC = 'chat.cancel';

/** How long to wait for the end of a chat that was told to stop. */
const WAIT_MS = 5_000;

/** Stops chats, wherever they run. Disposing of it makes this replica deaf to the others. */
export type Canceller = Pick<Gateway, 'cancelChat'> & Disposable;

export function makeCanceller(deps: GatewayDeps): Canceller {
  const heard = deps.store.onMessage(TOPIC, (text) => void deps.live.stop(requestId(text)));
  return {
    async cancelChat(wish) {
      const stopped = deps.live.stop(wish.id);
      const request = stopped === null ? await endedElsewhere(deps, wish) : await endedHere(deps, wish.id, stopped);
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

async function endedElsewhere(deps: GatewayDeps, { id, signal }: CancelWish): Promise<RequestView | null> {
  const { store } = deps;
  // Only a database can have other replicas on it.
  if (store.kind !== 'postgres') return store.find(id);
  // Said again and again: a message may be lost, and to stop a chat twice changes nothing.
  return awaitRecord(deps, { id, signal, limitMs: WAIT_MS, meanwhile: () => store.publish(TOPIC, id) });
}

function notFound(id: RequestId) {
  return {
    kind: 'notFound',
    code: 'NOT_FOUND',
    message: `No request req_${id} runs on a replica that could be reached, and none is recorded. Check the id: it is told as requestId, and in the header x-request-id.`,
    isRetryable: false,
    retryAfterMs: null,
  } as const;
}
