import { decodeList, decodeText } from '../core/decode.ts';
import { type AccountKey, accountKey } from '../core/ids.ts';
import { WIRE_TEXT_BYTES_MAX, wireBytesOf } from '../core/wire.ts';
import type { GatewayNeeds } from './deps.ts';

/** `gatherMs`: what is refused within it is told at once. Of more accounts the rest is not told to other replicas. */
const WIRE = { topic: 'refused', gatherMs: 250, accountsMax: 500 } as const;

/** Tells other replicas whose requests were refused for want of money: the store keeps no account of it. */
export interface RefusalWire extends Disposable {
  tell(account: AccountKey): void;
}

export function openRefusalWire(
  { store, clock, log }: Pick<GatewayNeeds, 'store' | 'clock' | 'log'>,
  hear: (account: AccountKey) => void,
): RefusalWire {
  const waiting = new Set<AccountKey>();
  let timer: Disposable | null = null;
  const send = () => {
    timer = null;
    store.publish(WIRE.topic, textOf(waiting));
    waiting.clear();
  };
  const heard = store.onMessage(WIRE.topic, (text, from) => {
    try {
      decodeList(JSON.parse(text), decodeText).map(accountKey).forEach(hear);
    } catch (error) {
      // Another version may say it in another way.
      log.debug('a message about refusals makes no sense here', { from, error: String(error) });
    }
  });
  return {
    tell(account) {
      if (waiting.size < WIRE.accountsMax) waiting.add(account);
      timer ??= clock.after(WIRE.gatherMs, send);
    },
    [Symbol.dispose]() {
      timer?.[Symbol.dispose]();
      heard[Symbol.dispose]();
    },
  };
}

/** As many as one message carries. */
function textOf(accounts: Iterable<AccountKey>): string {
  const told: AccountKey[] = [];
  let bytes = wireBytesOf('[]');
  for (const account of accounts) {
    bytes += wireBytesOf(`${JSON.stringify(account)},`);
    if (bytes > WIRE_TEXT_BYTES_MAX) break;
    told.push(account);
  }
  return JSON.stringify(told);
}
