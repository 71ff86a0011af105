import { admitOn, type Command, NOBODY_IN_PARTICULAR, SETTLE } from './store-commands.ts';

const fail = (isSimulated = false): readonly Command[] => ended('failure', isSimulated);

/** One attempt on the first provider, ended at once. */
function ended(verdict: 'success' | 'failure' | 'neutral', isSimulated = false): readonly Command[] {
  return [admitOn(0), { ...SETTLE, verdict, isSimulated }];
}

export const wait = (ms: number): Command => ({ kind: 'wait', ms });

/** Once through every state of a breaker, late and double settles included, so that no run misses them. */
export const STORY: readonly Command[] = [
  ...fail(),
  ...fail(),
  admitOn(0), // a straggler, ended when the breaker has moved on
  wait(61_000),
  ...fail(),
  admitOn(0), // open: refused
  { ...SETTLE, hold: 1, verdict: 'success' }, // stale
  wait(61_000),
  wait(5_000),
  admitOn(0),
  admitOn(0), // the probe, and one refused beside it
  { ...SETTLE, verdict: 'neutral' },
  ...fail(), // probe failed
  wait(130_000),
  admitOn(0),
  wait(31_000),
  admitOn(0), // a lost probe, and the next one
  { ...SETTLE, verdict: 'success' },
  { ...SETTLE, verdict: 'success' }, // closed; already settled
  wait(61_000),
  ...fail(true),
  ...fail(true),
  ...fail(true), // opened by a simulation
  { kind: 'resetBreaker', provider: 0 },
  { kind: 'reap' },
  { kind: 'survey' },
  { kind: 'pages' },
  { kind: 'beat', configHash: 'old' },
  wait(61_000),
  { kind: 'beat', configHash: 'new' },
  { kind: 'leave' },
  { kind: 'beat', configHash: 'new' },
  { kind: 'checkBooks' },
  { kind: 'checkBooks' }, // not due
  wait(61_000),
  { kind: 'checkBooks' },
  admitOn(1),
  { ...SETTLE, verdict: 'neutral', throttledForMs: 5_000 },
  admitOn(1), // throttled
  ...ended('neutral'),
  { kind: 'adopt', isOther: true }, // the limit of the first is lowered, and the second one left
  { kind: 'look', payers: NOBODY_IN_PARTICULAR },
  admitOn(0), // limited
  admitOn(1), // as before
  { kind: 'adopt', isOther: false },
  { kind: 'survey' }, // what was added is taken for as long as what was removed
  admitOn(0),
  wait(61_000),
  admitOn(0),
];
