import type { Drive } from './drive.ts';

/** What many runs met. */
export interface Tally {
  readonly runs: number;
  readonly lateReports: number;
  /** Runs in which a report by an attempt of an earlier state changed a newer one. */
  readonly runsWithLateChange: number;
  /** Runs in which a second probe was let out while one was out. */
  readonly runsWithSecondProbe: number;
}

export const NO_RUNS: Tally = { runs: 0, lateReports: 0, runsWithLateChange: 0, runsWithSecondProbe: 0 };

export function withDrive(tally: Tally, { lateReports, lateChanges, secondProbes }: Drive): Tally {
  return {
    runs: tally.runs + 1,
    lateReports: tally.lateReports + lateReports,
    runsWithLateChange: tally.runsWithLateChange + (lateChanges > 0 ? 1 : 0),
    runsWithSecondProbe: tally.runsWithSecondProbe + (secondProbes > 0 ? 1 : 0),
  };
}
