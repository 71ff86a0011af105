import type { BooksDifference } from '../core/books.ts';
import { StoreUnavailable } from '../core/unavailable.ts';
import type { GatewayDeps } from './deps.ts';
import { type Pump, startPump } from './pump.ts';

/**
 * A step is short, so that it holds nothing up; a tick has a limit of steps, so that large books take several ticks instead of
 * one long one. The rest is shorter than the pace, so that the slowest timer does not skip a minute.
 */
const BOOKS = {
  everyMs: 60_000,
  restMs: 45_000,
  accountsMax: 200,
  entriesMax: 20_000,
  stepsMax: 50,
  linesMax: 20,
} as const;

/** Asserts every minute that the books of all accounts balance. A difference is an error in the log and on a meter, until it is gone. */
export function startBooksCheck(deps: Pick<GatewayDeps, 'store' | 'clock' | 'log' | 'meters'>): Pump {
  const { log } = deps;
  const check = async () => {
    try {
      report(deps, await checkNext(deps));
    } catch (error) {
      const reason = error instanceof StoreUnavailable ? error.reason : String(error);
      log.warn('the books could not be checked, and will be in a minute', { reason });
    }
  };
  const pump = startPump({ ...deps, everyMs: BOOKS.everyMs, isNeeded: () => true, act: check });
  pump.wake();
  return pump;
}

/** Goes on where the last tick of any replica ended, to the end of the round or as far as one tick may. */
async function checkNext({
  store,
  log,
  meters,
}: Pick<GatewayDeps, 'store' | 'log' | 'meters'>): Promise<readonly BooksDifference[]> {
  const found: BooksDifference[] = [];
  for (let step = 0; step < BOOKS.stepsMax; step += 1) {
    const check = await store.checkBooks(BOOKS);
    meters.booksDifferences.set(check.differencesKnown);
    if (check.kind === 'notDue') break;
    found.push(...check.differences);
    for (const account of check.balancedAgain) log.info('the books balance again', { account });
    if (check.isRoundDone) break;
  }
  return found;
}

function report({ log }: Pick<GatewayDeps, 'log'>, found: readonly BooksDifference[]): void {
  for (const { account, held, heldSum, posted, postedSum } of found.slice(0, BOOKS.linesMax)) {
    log.error('the books do not balance', {
      account,
      held: held.toString(),
      heldSum: heldSum.toString(),
      posted: posted.toString(),
      postedSum: postedSum.toString(),
    });
  }
  const more = found.length - BOOKS.linesMax;
  if (more > 0) log.error('the books of more accounts do not balance', { accounts: more });
}
