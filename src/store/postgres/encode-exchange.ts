import { largestHold } from '../../core/bound.ts';
import { tenantOf } from '../../core/fair-share.ts';
import { holdLeaseMs, probeLeaseMs } from '../../core/leases.ts';
import { type Payers, payersOf } from '../../core/paying.ts';
import type { Admission, Settlement } from '../../ports/admission.ts';
import type { Draw } from '../../ports/reserve.ts';
import { isStorableMoney, isStorableText, storableText } from './storable.ts';

/** What a replica asks of PostgreSQL at one moment. Settles are JSON already: that is how they are kept. */
export interface Asked {
  readonly replica: string;
  readonly settles: readonly string[];
  readonly admissions: readonly Admission[];
  readonly looks: readonly Payers[];
}

/** The argument of `switchyard.exchange`. Money is text: a JSON number would be rounded on its way. */
export function encodeExchange({ replica, settles, admissions, looks }: Asked): string {
  const providers = makeNumbering();
  const accounts = makeNumbering();
  const asked = admissions.map((admission) => ({
    holdId: admission.holdId,
    requestId: admission.requestId,
    attempt: admission.attempt,
    account: accounts.numberOf(admission.account),
    tenant: accounts.numberOf(tenantOf(admission)),
    // Left out where nobody pays along, which costs nothing then.
    ...(admission.also.length > 0 && { also: admission.also.map(accounts.numberOf) }),
    defaultCap: admission.defaultCap?.toString() ?? null,
    ceiling: admission.ceiling?.toString() ?? null,
    probeLeaseMs: probeLeaseMs(admission.attemptMs),
    holdLeaseMs: holdLeaseMs(admission.attemptMs),
    candidates: admission.candidates.map(({ provider, model, bound }) => [
      providers.numberOf(provider),
      model,
      bound.input.toString(),
      bound.perOutputToken.toString(),
      bound.outputTokensMax,
      bound.outputTokensMin,
    ]),
  }));
  const rest = JSON.stringify({
    replica,
    admissions: asked,
    providers: providers.names(),
    accounts: accounts.names(),
    looks: looks.flatMap(payersOf),
  });
  return `{"settles":[${settles.join(',')}],${rest.slice(1)}`;
}

/** Throws when PostgreSQL could not hold what is asked. Before it is sent: there it would fail all that went with it. */
export function refuseUnstorable(admission: Admission): void {
  const { defaultCap, ceiling, candidates } = admission;
  refuseUnstorablePayers(admission);
  for (const { provider, model, bound } of candidates) {
    refuseUnstorableText(provider);
    refuseUnstorableText(model);
    // The parts are no larger than the whole, as long as none is negative.
    for (const amount of [bound.input, bound.perOutputToken, largestHold(bound)]) refuseUnstorableMoney(amount);
  }
  for (const limit of [defaultCap, ceiling]) if (limit !== null) refuseUnstorableMoney(limit);
}

export function refuseUnstorablePayers(payers: Payers): void {
  for (const account of payersOf(payers)) refuseUnstorableText(account);
}

function refuseUnstorableText(text: string): void {
  if (!isStorableText(text)) throw new RangeError(`PostgreSQL cannot hold the text ${JSON.stringify(text)}`);
}

function refuseUnstorableMoney(amount: bigint): void {
  if (!isStorableMoney(amount)) throw new RangeError(`PostgreSQL cannot hold the amount ${amount}`);
}

/** The end of a permit as `switchyard.exchange` takes it. Throws when PostgreSQL could not hold what was spent. */
export function encodeSettle(settlement: Settlement): string {
  return JSON.stringify(saidOf(settlement));
}

/** The end of an attempt that was paid from a slice: it has no hold yet, so it says what its hold is. */
export function encodeSpend(draw: Draw, settlement: Settlement): string {
  return JSON.stringify({ ...saidOf(settlement), drawn: { ...draw, amount: draw.amount.toString() } });
}

function saidOf(settlement: Settlement) {
  const { charge, setAside } = settlement;
  if (charge.kind === 'spent') refuseUnstorableMoney(charge.amount);
  return {
    ...settlement,
    setAside: setAside === null ? null : storableText(setAside),
    charge: charge.kind === 'spent' ? { ...charge, amount: charge.amount.toString() } : charge,
  };
}

/** Numbers for names, so that each name is sent once. */
function makeNumbering() {
  const numbers = new Map<string, number>();
  return {
    numberOf(name: string): number {
      const known = numbers.get(name);
      if (known !== undefined) return known;
      numbers.set(name, numbers.size);
      return numbers.size - 1;
    },
    names: (): readonly string[] => [...numbers.keys()],
  };
}
