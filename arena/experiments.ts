import { oneDollar } from './experiments/01-one-dollar.ts';
import { noFalseRefusal } from './experiments/02-no-false-refusal.ts';
import { kill } from './experiments/03-kill.ts';
import { reaperRace } from './experiments/04-reaper-race.ts';
import { postgresCrashes } from './experiments/05-postgres-crashes.ts';
import { outage } from './experiments/06-outage.ts';
import { blackHole } from './experiments/07-black-hole.ts';
import { journal } from './experiments/08-journal.ts';
import { idempotency } from './experiments/09-idempotency.ts';
import { hangUps } from './experiments/10-hang-ups.ts';
import { halfOpen } from './experiments/11-half-open.ts';
import { stragglers } from './experiments/12-stragglers.ts';
import { rollingWindow } from './experiments/13-rolling-window.ts';
import { retryAfter } from './experiments/14-retry-after.ts';
import { retryStorm } from './experiments/15-retry-storm.ts';
import { rollingRestart } from './experiments/16-rolling-restart.ts';
import { slowWatcher } from './experiments/17-slow-watcher.ts';
import { strangers } from './experiments/18-strangers.ts';
import { wrongClock } from './experiments/20-wrong-clock.ts';
import { oneTeam } from './experiments/21-one-team.ts';
import { noisyTenant } from './experiments/22-noisy-tenant.ts';
import type { Experiment } from './support/experiment.ts';

/** All of them, by number: docs/guarantees.md has a row for each. */
export const EXPERIMENTS: readonly Experiment[] = [
  oneDollar,
  noFalseRefusal,
  kill,
  reaperRace,
  postgresCrashes,
  outage,
  blackHole,
  journal,
  idempotency,
  hangUps,
  halfOpen,
  stragglers,
  rollingWindow,
  retryAfter,
  retryStorm,
  rollingRestart,
  slowWatcher,
  strangers,
  wrongClock,
  oneTeam,
  noisyTenant,
];
