import { holdId, providerKey, requestId, userAccount } from '../../src/core/ids.ts';
import { type PicoUsd, picoUsd, ZERO_USD } from '../../src/core/money.ts';
import { PERIODS } from '../../src/core/period.ts';
import { FAILURE_MODES } from '../../src/core/simulation.ts';
import { later } from '../../src/core/time.ts';
import type { Charge } from '../../src/ports/admission.ts';
import type { Store } from '../../src/ports/store.ts';
import {
  ACCOUNTS,
  CONTRACT_CAP,
  CONTRACT_REGISTRY,
  type Command,
  defaultCapOf,
  OTHER_REGISTRY,
  PROVIDERS,
} from './store-commands.ts';

const ACTOR = { name: 'tester', reason: 'contract' };

/** A hold that was made, as the next settle needs it. */
interface Made {
  readonly id: string;
  readonly held: PicoUsd;
}

/** Runs one command on one store. `made` collects the holds of that store; the ids come from the step, so both stores get the same. */
export async function run(store: Store, command: Command, step: number, made: Made[]): Promise<unknown> {
  switch (command.kind) {
    case 'look':
      return store.look(command.payers);
    case 'admit': {
      const id = `00000000-0000-7000-8000-${String(step).padStart(12, '0')}`;
      const answer = await store.admit({
        requestId: requestId(id),
        attempt: 1,
        holdId: holdId(id),
        ...command.payers,
        defaultCap: defaultCapOf(command.payers),
        ceiling: command.ceiling,
        candidates: command.candidates,
        attemptMs: command.attemptMs,
      });
      if (answer.kind === 'admitted') made.push({ id, held: answer.permit.held });
      return answer;
    }
    case 'settle': {
      const hold = made[made.length - 1 - command.hold] ?? {
        id: '00000000-0000-7000-8000-ffffffffffff',
        held: ZERO_USD,
      };
      return store.settle({
        holdId: holdId(hold.id),
        charge: chargeOf(command, hold),
        verdict:
          command.verdict === 'failure'
            ? { kind: 'failure', retryAfterMs: command.retryAfterMs, isSimulated: command.isSimulated }
            : { kind: command.verdict },
        jitter: command.jitter,
        throttledForMs: command.throttledForMs,
        setAside: command.setAside,
      });
    }
    case 'claimSimulatedFailure':
      return store.claimSimulatedFailure(keyOf(command.provider));
    case 'reap':
      return (await store.reap(100)).toSorted((one, other) => one.holdId.localeCompare(other.holdId));
    case 'simulate': {
      const { failuresMax } = command;
      const mode = FAILURE_MODES[command.mode]!;
      return store.simulate(
        keyOf(command.provider),
        { mode, rate: 0.5, durationMs: 60_000, failuresMax, latencyMs: null },
        ACTOR,
      );
    }
    case 'stopSimulation':
      return store.stopSimulation(command.provider === null ? null : keyOf(command.provider), ACTOR);
    case 'resetBreaker':
      return store.resetBreaker(keyOf(command.provider), ACTOR);
    case 'setEnabled':
      return store.setEnabled(keyOf(command.provider), command.isEnabled, ACTOR);
    case 'setBudget': {
      const { cap, resetUsage } = command;
      const wish = {
        account: ACCOUNTS[command.account]!,
        cap: picoUsd(cap),
        period: PERIODS[command.period]!,
        resetUsage,
      };
      return store.setBudget(wish, ACTOR);
    }
    case 'noteWaiting': {
      const { nowMs } = await store.survey();
      const at = [{ provider: keyOf(command.provider), untilMs: later(nowMs, command.forMs) }];
      return store.noteWaiting({ tenant: ACCOUNTS[command.account]!, at });
    }
    case 'survey':
      return {
        survey: await store.survey(),
        range: await store.range(),
        underWay: await store.countUnderWay(null),
        underWayOf: await Promise.all(ACCOUNTS.map((account) => store.countUnderWay(account))),
      };
    case 'pages':
      return readPages(store);
    case 'beat':
      return store.beat({ version: '1.0.0', configHash: command.configHash, priceListVersion: '2026-01' });
    case 'adopt':
      return store.adopt(command.isOther ? OTHER_REGISTRY : CONTRACT_REGISTRY);
    case 'leave':
      return store.leave();
    case 'checkBooks':
      return store.checkBooks({ accountsMax: 100, entriesMax: 10_000, restMs: 45_000 });
    case 'wait':
      return null;
    default:
      return command satisfies never;
  }
}

function chargeOf(command: Extract<Command, { kind: 'settle' }>, hold: Made): Charge {
  if (command.charge !== 'spent') return { kind: command.charge };
  const amount = picoUsd((hold.held * BigInt(command.spentShare * 10)) / 10n);
  return { kind: 'spent', amount, source: 'reported' };
}

async function readPages(store: Store): Promise<unknown> {
  const first = { size: 1, direction: 'forward', cursor: null } as const;
  const accounts = await store.accounts({ page: first, defaultCap: CONTRACT_CAP, status: [] });
  const cursor = accounts.kind === 'page' ? (accounts.page.items[0]?.cursor ?? null) : null;
  return {
    accounts,
    several: await store.accountsOf([ACCOUNTS[1]!, userAccount('nobody'), ACCOUNTS[0]!]),
    none: await store.accountsOf([]),
    next: await store.accounts({ page: { ...first, cursor }, defaultCap: CONTRACT_CAP, status: [] }),
    last: await store.accounts({
      page: { ...first, direction: 'backward' },
      defaultCap: CONTRACT_CAP,
      status: ['ok', 'warning'],
    }),
    tail: await store.tail(0, 100),
    history: await store.history(keyOf(0), { size: 2, direction: 'forward', cursor: null }),
    older: await store.history(keyOf(0), { size: 2, direction: 'backward', cursor: '3' }),
  };
}

function keyOf(index: number) {
  return PROVIDERS[index] ?? providerKey('none');
}
