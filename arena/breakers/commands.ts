import type { Command } from '../../test/support/breaker-model.ts';
import { type Chance, makeChance } from '../support/chance.ts';

const LEASES_MS = [5_000, 20_000] as const;
/** The newest attempt most often, and now and then one that should have been forgotten. */
const ATTEMPTS = [0, 0, 0, 1, 2, 5] as const;
const VERDICTS = ['success', 'success', 'failure', 'failure', 'failure', 'failure', 'neutral'] as const;
const WAITS_MS = [0, 1, 4_000, 5_000, 21_000, 59_999, 60_000, 66_000, 66_000, 132_000, 660_000] as const;
const RETRY_AFTERS_MS = [10, 90_000, 600_000] as const;
const STEPS = { min: 40, max: 80 } as const;

/** The commands of one run: the same for the same seed and run, whichever breaker they are given to. */
export function commandsOf(seed: number, run: number): readonly Command[] {
  const chance = makeChance(seed).fork(`breaker run ${run}`);
  return Array.from({ length: chance.int(STEPS) }, () => drawCommand(chance));
}

function drawCommand(chance: Chance): Command {
  const drawn = chance.int({ min: 1, max: 20 });
  if (drawn <= 6) return { kind: 'admit', leaseMs: chance.pick(LEASES_MS) };
  if (drawn <= 11) return { kind: 'advance', ms: chance.pick(WAITS_MS) };
  if (drawn === 12) return { kind: 'reset' };
  return {
    kind: 'report',
    attempt: chance.pick(ATTEMPTS),
    verdict: chance.pick(VERDICTS),
    retryAfterMs: chance.next() < 0.2 ? chance.pick(RETRY_AFTERS_MS) : null,
    isSimulated: chance.next() < 0.5,
    jitter: chance.next(),
  };
}
