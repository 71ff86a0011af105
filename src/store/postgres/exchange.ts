import { decodeFields } from '../../core/decode.ts';
import type { ReplicaId } from '../../core/ids.ts';
import type { Payers } from '../../core/paying.ts';
import type { Admission, Admitted, Settled, Snapshot } from '../../ports/admission.ts';
import { makeCombiner } from './combiner.ts';
import type { Connection } from './connection.ts';
import { decodeAdmissions, decodeLooks, decodeSettles } from './decode-exchange.ts';
import { encodeExchange, refuseUnstorable, refuseUnstorablePayers } from './encode-exchange.ts';
import { isRefusal } from './fault.ts';
import type { OwnProviders } from './own-providers.ts';

/** Most acts of one call. More wait for the next: a longer call would make everybody wait for its end. */
const ACTS_MAX = 128;

type Wish =
  | { readonly kind: 'settle'; readonly text: string }
  | { readonly kind: 'admit'; readonly admission: Admission }
  | { readonly kind: 'look'; readonly payers: Payers };

type Reply =
  | { readonly kind: 'settle'; readonly settled: Settled }
  | { readonly kind: 'admit'; readonly admitted: Admitted }
  | { readonly kind: 'look'; readonly snapshot: Snapshot };

/**
 * The acts around attempts, combined: what waits at one moment goes in one call and one commit, settles first, so that an
 * account is told of what was spent before it is asked for more.
 */
export interface Exchange {
  settle(text: string): Promise<Settled>;
  admit(admission: Admission): Promise<Admitted>;
  look(payers: Payers): Promise<Snapshot>;
}

/** Who asks. */
export interface Asker {
  readonly replica: ReplicaId;
  readonly own: OwnProviders;
}

export function makeExchange({ exchange: send, inTime }: Connection, asker: Asker): Exchange {
  const combiner = makeCombiner<Wish, Reply>({
    itemsMax: ACTS_MAX,
    send: (wishes) => callOnce(send, asker, wishes),
    isUndone: isRefusal,
  });
  /** Somebody waits: the wait for the call before counts too, which is as long as its own when PostgreSQL does not answer. */
  const askInTime = async (wish: Wish): Promise<Reply> => {
    let isWanted = true;
    try {
      return await inTime(combiner.ask(wish, () => isWanted));
    } finally {
      isWanted = false;
    }
  };
  return {
    async settle(text) {
      const reply = await combiner.ask({ kind: 'settle', text });
      return reply.kind === 'settle' ? reply.settled : mixedUp();
    },
    async admit(admission) {
      refuseUnstorable(admission);
      const reply = await askInTime({ kind: 'admit', admission });
      return reply.kind === 'admit' ? reply.admitted : mixedUp();
    },
    async look(payers) {
      refuseUnstorablePayers(payers);
      const reply = await askInTime({ kind: 'look', payers });
      return reply.kind === 'look' ? reply.snapshot : mixedUp();
    },
  };
}

async function callOnce(
  send: Connection['exchange'],
  { replica, own }: Asker,
  wishes: readonly Wish[],
): Promise<readonly Reply[]> {
  const settles = wishes.flatMap((wish) => (wish.kind === 'settle' ? [wish.text] : []));
  const admissions = wishes.flatMap((wish) => (wish.kind === 'admit' ? [wish.admission] : []));
  const looks = wishes.flatMap((wish) => (wish.kind === 'look' ? [wish.payers] : []));
  const asked = encodeExchange({ replica, settles, admissions, looks });
  const [row] = await send((sql) => sql`select switchyard.exchange(${asked}::text::jsonb) as answer`);
  const answer = decodeFields(row?.answer);
  const settled = decodeSettles(answer.settled).values();
  const admitted = decodeAdmissions(answer.admitted, admissions).values();
  const looked = decodeLooks(answer.looked, looks, own).values();
  return wishes.map((wish): Reply => {
    switch (wish.kind) {
      case 'settle':
        return { kind: 'settle', settled: settled.next().value ?? mixedUp() };
      case 'admit':
        return { kind: 'admit', admitted: admitted.next().value ?? mixedUp() };
      case 'look':
        return { kind: 'look', snapshot: looked.next().value ?? mixedUp() };
      default:
        return wish satisfies never;
    }
  });
}

function mixedUp(): never {
  throw new RangeError('the database did not answer each wish in its order');
}
