import type { ReplicaId } from '../../src/core/ids.ts';
import { modeOf, type StoreAbsence } from '../../src/core/store-mode.ts';
import type { KeepableAct } from '../../src/ports/replay.ts';
import type { DurableStore, Store } from '../../src/ports/store.ts';

/** A memory store that stands for a database: acts can be kept for it as text, and it can be away. */
export interface FakeDurable extends DurableStore {
  /** While a test says so, every act fails. */
  setAbsence(absence: StoreAbsence | null): void;
  /** The acts that were carried out, in their order. */
  readonly carried: readonly KeepableAct[];
  /** What was written down as this text. */
  written(text: string): KeepableAct | undefined;
}

export function makeFakeDurable(memory: Store, unavailable: () => Error): FakeDurable {
  const written = new Map<string, KeepableAct>();
  const carried: KeepableAct[] = [];
  let absence: StoreAbsence | null = null;
  const present = () => {
    if (absence !== null) throw unavailable();
  };
  return {
    ...memory,
    carried,
    written: (text) => written.get(text),
    setAbsence(next) {
      absence = next;
    },
    absence: () => absence,
    mode: () => modeOf(absence),
    async look(account) {
      present();
      return memory.look(account);
    },
    async admit(admission) {
      present();
      return memory.admit(admission);
    },
    encode(act) {
      const text = `act ${written.size + 1}`;
      written.set(text, act);
      return text;
    },
    async carryOut(text) {
      present();
      const act = written.get(text);
      if (act === undefined) throw new TypeError(`no act was written down as ${text}`);
      carried.push(act);
      switch (act.kind) {
        case 'settle':
          return memory.settle(act.settlement);
        case 'record':
          await memory.record(act.record);
          return { kind: 'done' };
        case 'endClaim':
          return { kind: (await memory.endClaim(act.holder, act.end)) ? 'done' : 'claimLost' };
        case 'spend':
          throw new TypeError('memory has no slices');
        default:
          return act satisfies never;
      }
    },
    voidUnsent: async (_replica: ReplicaId) => 0,
    async reserve() {
      throw new TypeError('memory reserves nothing');
    },
  };
}
