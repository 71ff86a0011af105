import { type Account, asPayer } from '../../core/account.ts';
import {
  decodeBoolean,
  decodeFields,
  decodeInstant,
  decodeList,
  decodeMoney,
  decodeNullable,
  decodeNumber,
  decodeOneOf,
  decodeText,
  type Fields,
} from '../../core/decode.ts';
import { decodeAccount } from '../../core/decode-account.ts';
import { accountKey } from '../../core/ids.ts';
import type { Payers } from '../../core/paying.ts';
import type { ProviderRefusal } from '../../core/provider-state.ts';
import { epochMs } from '../../core/time.ts';
import type {
  Admission,
  AdmissionCandidate,
  AdmissionRefusal,
  Admitted,
  Settled,
  Snapshot,
} from '../../ports/admission.ts';
import { decodeEvent, decodeProviderState, decodeSimulation } from './decode-provider.ts';
import type { OwnProviders } from './own-providers.ts';

// Reads what `switchyard.exchange` answers: each part is null when nothing of its kind was asked.

/** One answer for each settle, in their order. */
export function decodeSettles(value: unknown): readonly Settled[] {
  if (value === null) return [];
  const fields = decodeFields(value);
  const accounts = decodeNullable(fields.accounts, (list) => decodeList(list, decodeAccount)) ?? [];
  return decodeList(fields.answers, (answer) => decodeSettled(answer, accounts));
}

function decodeSettled(value: unknown, accounts: readonly Account[]): Settled {
  const fields = decodeFields(value);
  const kind = decodeOneOf(['settled', 'alreadySettled', 'unknownHold'], fields.kind);
  if (kind !== 'settled') return { kind };
  return {
    kind,
    posted: decodeMoney(fields.posted),
    overrun: decodeMoney(fields.overrun),
    transition: decodeNullable(fields.transition, (event) => decodeEvent(event).transition),
    isStale: decodeBoolean(fields.isStale),
    account: placeIn(accounts, decodeNumber(fields.account)),
    also: decodeList(fields.also ?? [], (place) => placeIn(accounts, decodeNumber(place))),
  };
}

/** One answer for each admission, in their order. */
export function decodeAdmissions(value: unknown, admissions: readonly Admission[]): readonly Admitted[] {
  if (value === null) return [];
  const fields = decodeFields(value);
  const accounts = new Map(decodeList(fields.accounts, decodeAccount).map((account) => [account.key, account]));
  const admittedAtMs = decodeInstant(fields.nowMs);
  return decodeList(fields.answers, decodeFields).map((answer, place) => {
    return decodeAdmitted(answer, { admission: placeIn(admissions, place), admittedAtMs, accounts });
  });
}

function decodeAdmitted(
  answer: Fields,
  of: { readonly admission: Admission; readonly admittedAtMs: number; readonly accounts: ReadonlyMap<string, Account> },
): Admitted {
  const { candidates, holdId, defaultCap } = of.admission;
  const accountOf = (key: string, held: unknown) => {
    const account = of.accounts.get(key);
    if (account === undefined) throw new TypeError(`no account came back for ${key}`);
    return { ...account, held: decodeMoney(held) };
  };
  const account = asPayer(accountOf(of.admission.account, answer.held), defaultCap);
  const alsoHeld = decodeList(answer.alsoHeld ?? [], (held) => held);
  const also = of.admission.also.map((key, place) => accountOf(key, alsoHeld[place]));
  const refusals = decodeList(answer.refusals, decodeWhy).map((why, place) => {
    const { provider, model } = placeIn(candidates, place);
    return { provider, model, why };
  });
  if (answer.amount === undefined) return { kind: 'refused', refusals, account, also };
  const { provider, model }: AdmissionCandidate = placeIn(candidates, decodeNumber(answer.candidate));
  const permit = {
    holdId,
    provider,
    model,
    held: decodeMoney(answer.amount),
    outputTokens: decodeNumber(answer.outputTokens),
    isProbe: decodeBoolean(answer.isProbe),
    admittedAtMs: epochMs(of.admittedAtMs),
    simulation: decodeNullable(answer.simulation, decodeSimulation),
  };
  return { kind: 'admitted', refusals, account, also, permit };
}

const TIMED_REFUSALS = ['breakerOpen', 'breakerProbing', 'throttled', 'rateLimited'] as const;
const REFUSALS = ['disabled', 'setAside', 'overBudget', 'overCostLimit', ...TIMED_REFUSALS] as const;

function decodeWhy(value: unknown): AdmissionRefusal['why'] {
  const why = decodeFields(value);
  const kind = decodeOneOf(REFUSALS, why.kind);
  switch (kind) {
    case 'overBudget':
      return {
        kind,
        account: accountKey(decodeText(why.account)),
        required: decodeMoney(why.required),
        available: decodeMoney(why.available),
        held: decodeMoney(why.held),
      };
    case 'overCostLimit':
      return { kind, required: decodeMoney(why.required) };
    case 'disabled':
      return { kind };
    case 'setAside':
      return { kind, untilMs: decodeInstant(why.untilMs), detail: decodeText(why.detail) };
    default:
      return { kind, untilMs: decodeInstant(why.untilMs) } satisfies ProviderRefusal;
  }
}

/** One snapshot for each look, in their order: all at the same instant, with the same providers. */
export function decodeLooks(value: unknown, looks: readonly Payers[], own: OwnProviders): readonly Snapshot[] {
  if (value === null) return [];
  const fields = decodeFields(value);
  const nowMs = decodeInstant(fields.nowMs);
  const providers = own.pick(fields.providers).map(decodeProviderState);
  const accounts = decodeList(fields.accounts, decodeAccount).values();
  const next = () => accounts.next().value ?? leftOut();
  return looks.map(({ also }) => ({ nowMs, providers, account: next(), also: also.map(next) }));
}

function placeIn<Item>(items: readonly Item[], place: number): Item {
  const item = items[place];
  if (item === undefined) throw new TypeError(`the database answers for place ${place} of ${items.length}`);
  return item;
}

function leftOut(): never {
  throw new TypeError('the database left out an account that was looked at');
}
