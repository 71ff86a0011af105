import type { Paying } from '../core/paying.ts';
import { proxyAccountOf } from './caller.ts';
import type { ChatCall } from './gateway.ts';
import { invalidInput } from './operations.ts';
import type { InvalidInput } from './refusals.ts';

/**
 * Whoever may name the users that pay could invent one for each default cap: a key that acts for others does so under a budget of its
 * own only. Nothing ever takes an account's own cap away, so what was seen when the request was planned still holds when it is
 * admitted. Null: it may go on.
 */
export function whyUnbounded({ caller, request }: ChatCall, { also }: Paying): InvalidInput | null {
  const account = proxyAccountOf(caller, request.userId);
  if (also.every(({ key, cap }) => key !== account || cap !== null)) return null;
  const message =
    'this key acts for others, and has no budget of its own that bounds what all of them spend through it: ' +
    'have one set with setBudget(level: KEY), or leave the user out';
  return invalidInput([{ path: ['userId'], message }]);
}
