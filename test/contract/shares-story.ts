import { ACCOUNTS, admitOn, type Command } from './store-commands.ts';
import { wait } from './store-story.ts';

const TEAM = 4;
/** Two users of one team are one tenant. */
const [RED, ALSO_RED] = [0, 1].map((user) => ({ account: ACCOUNTS[user]!, also: [ACCOUNTS[TEAM]!] }));

const alone = (user: number) => ({ account: ACCOUNTS[user]!, also: [] });

/** Half of a limit of 3 is one slot: the most for a tenant while another waits, until 5 s after it was told to come back. */
export const SHARES: readonly Command[] = [
  admitOn(0),
  { kind: 'noteWaiting', account: 1, provider: 0, forMs: 400 },
  admitOn(0), // held back
  admitOn(0, alone(1)), // waited for
  wait(400),
  admitOn(0), // held back still
  wait(5_000),
  admitOn(0), // waited for no more
  admitOn(0), // full
  wait(61_000),
  admitOn(0),
  { kind: 'noteWaiting', account: 1, provider: 0, forMs: 600_000 },
  wait(31_000),
  admitOn(0), // held back until its own slot is free
  wait(121_000),
  admitOn(0, RED),
  { kind: 'noteWaiting', account: 5, provider: 0, forMs: 400 },
  admitOn(0, ALSO_RED), // held back with its team
  { kind: 'setBudget', account: TEAM, cap: 0n, period: 0, resetUsage: false },
  wait(61_000),
  admitOn(0, RED), // stopped by the team's budget
  wait(200_000),
  admitOn(0),
  admitOn(0, alone(2)),
  // Of more that wait than are kept: those of the last moment, in whatever order they come.
  { kind: 'noteWaiting', account: 0, provider: 0, forMs: 3_000 },
  { kind: 'noteWaiting', account: 1, provider: 0, forMs: 2_000 },
  { kind: 'noteWaiting', account: 2, provider: 0, forMs: 1_000 },
  { kind: 'noteWaiting', account: 2, provider: 0, forMs: 4_000 },
  { kind: 'noteWaiting', account: 0, provider: 0, forMs: 4_000 },
  admitOn(0), // held back
  admitOn(0, alone(2)), // held back, by another
  wait(9_000),
  admitOn(0, alone(2)), // waited for no more
];
