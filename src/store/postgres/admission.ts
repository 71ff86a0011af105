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
} from '../../core/decode.ts';
import { decodeAccount } from '../../core/decode-account.ts';
import { accountKey, holdId, providerKey, type ReplicaId, requestId } from '../../core/ids.ts';
import type { ProviderRefusal } from '../../core/provider-state.ts';
import type {
  Admission,
  AdmissionPort,
  AdmissionRefusal,
  Admitted,
  ExpiredHold,
  Settled,
  Settlement,
  Snapshot,
} from '../../ports/admission.ts';
import type { Connection } from './connection.ts';
import { decodeEvent, decodeProviderState, decodeSimulation } from './decode-provider.ts';

/** The acts around one attempt, on PostgreSQL: each is one call of one function of drizzle/, in one commit. */
export function makePostgresAdmission({ act }: Connection, replica: ReplicaId): AdmissionPort {
  return {
    async look(account) {
      const [row] = await act((sql) => sql`select switchyard.look(${account}) as answer`);
      return decodeSnapshot(row?.answer);
    },
    async admit(admission) {
      const asked = JSON.stringify(encodeAdmission(admission, replica));
      const [row] = await act((sql) => sql`select switchyard.admit(${asked}::text::jsonb) as answer`);
      return decodeAdmitted(row?.answer, admission);
    },
    async settle(settlement) {
      const said = JSON.stringify(encodeSettlement(settlement, replica));
      const [row] = await act((sql) => sql`select switchyard.settle(${said}::text::jsonb) as answer`);
      return decodeSettled(row?.answer);
    },
    async claimSimulatedFailure(provider) {
      const [row] = await act((sql) => sql`select switchyard.claim_simulated_failure(${provider}) as answer`);
      return decodeBoolean(row?.answer);
    },
    async reap(countMax) {
      const [row] = await act((sql) => sql`select switchyard.reap(${countMax}) as answer`);
      return decodeList(row?.answer, decodeExpired);
    },
  };
}

function decodeSnapshot(value: unknown): Snapshot {
  const fields = decodeFields(value);
  return {
    nowMs: decodeInstant(fields.nowMs),
    providers: decodeList(fields.providers, decodeProviderState),
    account: decodeAccount(fields.account),
  };
}

/** Money as text: a JSON number would be rounded on its way. */
function encodeAdmission(admission: Admission, replica: ReplicaId): object {
  return {
    ...admission,
    replica,
    defaultCap: admission.defaultCap?.toString() ?? null,
    ceiling: admission.ceiling?.toString() ?? null,
    candidates: admission.candidates.map(({ provider, model, bound }) => ({
      provider,
      model,
      input: bound.input.toString(),
      perOutputToken: bound.perOutputToken.toString(),
      outputTokensMax: bound.outputTokensMax,
      outputTokensMin: bound.outputTokensMin,
    })),
  };
}

function encodeSettlement(settlement: Settlement, replica: ReplicaId): object {
  const { charge } = settlement;
  return {
    ...settlement,
    replica,
    charge: charge.kind === 'spent' ? { ...charge, amount: charge.amount.toString() } : charge,
  };
}

function decodeAdmitted(value: unknown, admission: Admission): Admitted {
  const fields = decodeFields(value);
  const refusals = decodeList(fields.refusals, decodeRefusal);
  const account = decodeAccount(fields.account);
  if (decodeOneOf(['admitted', 'refused'], fields.kind) === 'refused') return { kind: 'refused', refusals, account };
  const permit = decodeFields(fields.permit);
  return {
    kind: 'admitted',
    refusals,
    account,
    permit: {
      holdId: admission.holdId,
      provider: providerKey(decodeText(permit.provider)),
      model: decodeText(permit.model),
      held: decodeMoney(permit.held),
      outputTokens: decodeNumber(permit.outputTokens),
      isProbe: decodeBoolean(permit.isProbe),
      admittedAtMs: decodeInstant(permit.admittedAtMs),
      simulation: decodeNullable(permit.simulation, decodeSimulation),
    },
  };
}

const TIMED_REFUSALS = ['breakerOpen', 'breakerProbing', 'throttled', 'rateLimited'] as const;
const REFUSALS = ['disabled', 'setAside', 'overBudget', 'overCostLimit', ...TIMED_REFUSALS] as const;

function decodeRefusal(value: unknown): AdmissionRefusal {
  const fields = decodeFields(value);
  return {
    provider: providerKey(decodeText(fields.provider)),
    model: decodeText(fields.model),
    why: decodeWhy(fields.why),
  };
}

function decodeWhy(value: unknown): AdmissionRefusal['why'] {
  const why = decodeFields(value);
  const kind = decodeOneOf(REFUSALS, why.kind);
  switch (kind) {
    case 'overBudget':
      return {
        kind,
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

function decodeSettled(value: unknown): Settled {
  const fields = decodeFields(value);
  const kind = decodeOneOf(['settled', 'alreadySettled', 'unknownHold'], fields.kind);
  if (kind !== 'settled') return { kind };
  return {
    kind,
    posted: decodeMoney(fields.posted),
    overrun: decodeMoney(fields.overrun),
    transition: decodeNullable(fields.transition, (event) => decodeEvent(event).transition),
    isStale: decodeBoolean(fields.isStale),
    account: decodeAccount(fields.account),
  };
}

function decodeExpired(value: unknown): ExpiredHold {
  const fields = decodeFields(value);
  return {
    holdId: holdId(decodeText(fields.holdId)),
    requestId: requestId(decodeText(fields.requestId)),
    account: accountKey(decodeText(fields.account)),
    amount: decodeMoney(fields.amount),
  };
}
