import type { BreakerPass, Verdict } from '../../src/core/breaker.ts';

/** What can happen to a breaker, in any order. */
export type Command =
  | { readonly kind: 'admit'; readonly leaseMs: number }
  | {
      readonly kind: 'report';
      /** Points at the n-th newest attempt that is still out. */
      readonly attempt: number;
      readonly verdict: Verdict['kind'];
      readonly retryAfterMs: number | null;
      readonly isSimulated: boolean;
      readonly jitter: number;
    }
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'reset' };

/** The rules of docs/routing.md as plainly as they can be written: no code in common with the core. */
export class Model {
  state: 'closed' | 'open' | 'halfOpen' = 'closed';
  epoch = 0;
  fails = 0;
  streakAt = Number.NaN;
  opensUntil = 0;
  failedProbes = 0;
  prober = '';
  leaseUntil = 0;

  mayPass(now: number): 'no' | 'through' | 'asProbe' {
    if (this.state === 'closed') return 'through';
    const isFree = this.state === 'open' ? now >= this.opensUntil : this.prober === '' || now >= this.leaseUntil;
    return isFree ? 'asProbe' : 'no';
  }

  claim(id: string, until: number): void {
    if (this.state === 'open' || this.prober !== '') this.epoch += 1;
    this.state = 'halfOpen';
    this.prober = id;
    this.leaseUntil = until;
  }

  report(of: Extract<Command, { kind: 'report' }>, pass: BreakerPass, now: number): void {
    const isMine = pass.probeId === null ? this.state === 'closed' : this.prober === pass.probeId;
    if (pass.epoch !== this.epoch || !isMine) return;
    if (of.verdict === 'neutral') {
      this.prober = '';
    } else if (of.verdict === 'failure') {
      this.fails += 1;
      if (pass.probeId === null && this.fails === 1) this.streakAt = now;
      if (pass.probeId !== null) this.failedProbes += 1;
      if (pass.probeId !== null || this.fails === 3) this.open(of, now);
    } else if (pass.probeId !== null) {
      this.close();
    } else if (pass.startedAtMs >= this.streakAt) {
      this.fails = 0;
      this.streakAt = Number.NaN;
    }
  }

  reset(): void {
    if (this.state !== 'closed') this.close();
    this.fails = 0;
    this.streakAt = Number.NaN;
  }

  private close(): void {
    this.state = 'closed';
    this.epoch += 1;
    this.fails = 0;
    this.failedProbes = 0;
    this.prober = '';
    this.streakAt = Number.NaN;
  }

  private open(of: Extract<Command, { kind: 'report' }>, now: number): void {
    const base = [60_000, 120_000, 240_000, 480_000][this.failedProbes] ?? 600_000;
    this.state = 'open';
    this.epoch += 1;
    this.prober = '';
    this.opensUntil = now + Math.max(base + Math.floor(base * 0.1 * of.jitter), of.retryAfterMs ?? 0);
  }
}
