import type { CircuitKind } from '../../src/core/breaker.ts';
import type { Command } from '../../test/support/breaker-model.ts';

export type ReportCommand = Extract<Command, { kind: 'report' }>;

/** A breaker of any make, as far as it can be driven from outside. */
export interface Subject {
  /** What anybody can see of it. */
  state(): CircuitKind | Promise<CircuitKind>;
  /** Asks for leave. Each attempt that gets it, now or (where callers queue) later, is handed to `out`. */
  admit(leaseMs: number, out: (attempt: SubjectAttempt) => void): void | Promise<void>;
  /** Lets time pass. */
  advance(ms: number): void | Promise<void>;
  /** Closes it by hand. */
  reset(): void | Promise<void>;
}

export interface SubjectAttempt {
  /** Tells the breaker how the attempt went. */
  report(of: ReportCommand): void | Promise<void>;
}

/** What one run of commands met. */
export interface Drive {
  /** Reports by attempts that were let out in an earlier state than the present one. */
  readonly lateReports: number;
  /** Those of them that changed the state. */
  readonly lateChanges: number;
  /** Attempts let out half open while a live probe was out. */
  readonly secondProbes: number;
}

interface Out {
  readonly attempt: SubjectAttempt;
  readonly generation: number;
  readonly isProbe: boolean;
  /** After this a lost probe may be replaced, whatever the make. */
  readonly leaseEndsAtMs: number;
}

/** Gives the commands to a breaker and counts what must not happen, by what can be seen from outside alone. */
export async function drive(subject: Subject, commands: readonly Command[]): Promise<Drive> {
  let nowMs = 0;
  let generation = 0;
  let state = await subject.state();
  let out: readonly Out[] = [];
  let lateReports = 0;
  let lateChanges = 0;
  let secondProbes = 0;
  const arrived: SubjectAttempt[] = [];

  const note = async () => {
    const now = await subject.state();
    const isChanged = now !== state;
    if (isChanged) generation += 1;
    state = now;
    return isChanged;
  };
  const letOut = (leaseMs: number) => {
    for (const attempt of arrived.splice(0)) {
      const isProbe = state === 'halfOpen';
      const isAnyLive = out.some(
        (other) => other.isProbe && other.generation === generation && other.leaseEndsAtMs > nowMs,
      );
      if (isProbe && isAnyLive) secondProbes += 1;
      out = [...out, { attempt, generation, isProbe, leaseEndsAtMs: nowMs + leaseMs }];
    }
  };
  for (const command of commands) {
    switch (command.kind) {
      case 'admit':
        await subject.admit(command.leaseMs, (attempt) => arrived.push(attempt));
        await note();
        letOut(command.leaseMs);
        break;
      case 'report': {
        const place = out.length - 1 - command.attempt;
        const reporter = out[place];
        if (reporter === undefined) break;
        out = out.toSpliced(place, 1);
        const isLate = reporter.generation !== generation;
        await reporter.attempt.report(command);
        const isChanged = await note();
        if (isLate) lateReports += 1;
        if (isLate && isChanged) lateChanges += 1;
        letOut(LEASE_OF_QUEUED_MS);
        break;
      }
      case 'advance':
        nowMs += command.ms;
        await subject.advance(command.ms);
        await note();
        break;
      case 'reset':
        await subject.reset();
        await note();
        letOut(LEASE_OF_QUEUED_MS);
        break;
      default:
        command satisfies never;
    }
  }
  return { lateReports, lateChanges, secondProbes };
}

/** Those who queued behind a probe say nothing of a lease. */
const LEASE_OF_QUEUED_MS = 5_000;
