import { NO_FILTER } from '../../src/core/analytics.ts';
import { userAccount } from '../../src/core/ids.ts';
import type { ChatOutcome, NotRun } from '../../src/core/outcome.ts';
import type { RawChat } from '../../src/core/raw-chat.ts';
import { OPEN_CALLER } from '../../src/gateway/caller.ts';
import type { Act } from '../fakes/provider.ts';
import { type GatewayKit, makeGatewayKit, quiet, usd } from '../support/gateway-kit.ts';
import { PRICED } from './priced-registry.ts';

/** A chat with a key, for the cheapest of four providers. */
export const KEYED: RawChat = { prompt: 'hello', userId: 'ann', routing: { sort: 'price' }, idempotencyKey: 'k-1' };
/** Of 10 tokens of input and 5 of output at a. */
export const COST = usd('0.00006');

export function makeKit() {
  return makeGatewayKit({ registry: PRICED });
}

export function callsOf(kit: GatewayKit): number {
  return PRICED.providers.reduce((sum, { key }) => sum + kit.provider(key).calls.length, 0);
}

export async function moneyOf({ store }: GatewayKit, user = 'ann') {
  const { posted, held } = await store.account(userAccount(user));
  return { posted, held };
}

export async function recordsOf({ gateway }: GatewayKit) {
  const answer = await gateway.pageRequests({
    page: { size: 50, direction: 'forward', cursor: null },
    filter: NO_FILTER,
    order: { field: 'createdAt', direction: 'ascending' },
    caller: OPEN_CALLER,
  });
  return answer.kind === 'page' ? answer.page.items.map(({ item }) => item) : [];
}

/** Makes the cheapest provider wait for a word of the test, and then do what it is told. */
export function holdFirst(kit: GatewayKit, after: Act) {
  const word = Promise.withResolvers<void>();
  kit.provider('a').script({ kind: 'wait', until: word.promise, after });
  return word.resolve;
}

/** Moves time on in small steps until a promise settles. */
export async function passing<Value>(kit: GatewayKit, promise: Promise<Value>, stepMs = 100): Promise<Value> {
  let isOver = false;
  const over = () => {
    isOver = true;
  };
  promise.then(over, over);
  for (let steps = 0; !isOver && steps < 5_000; steps += 1) {
    await quiet();
    if (!isOver) kit.clock.advance(stepMs);
  }
  return promise;
}

export function asReplayed(outcome: ChatOutcome | NotRun) {
  return { ...outcome, isReplayed: true };
}
