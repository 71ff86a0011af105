import type { Shell } from './shell.ts';

/** One thing that a check looked at. */
export interface Finding {
  readonly state: 'ok' | 'warning' | 'fault';
  /** Where: a part of the service, and of it the variable, provider or file that is meant. */
  readonly part: 'settings' | 'database' | 'provider' | 'prices' | 'clock' | 'disk' | 'port' | 'access';
  readonly what: string;
  /** What to do. Null: nothing, or `what` says it. */
  readonly mend: string | null;
}

export function ok(part: Finding['part'], what: string): Finding {
  return { state: 'ok', part, what, mend: null };
}

export function warning(part: Finding['part'], what: string, mend: string | null): Finding {
  return { state: 'warning', part, what, mend };
}

export function fault(part: Finding['part'], what: string, mend: string | null): Finding {
  return { state: 'fault', part, what, mend };
}

const COLOURS = { ok: 'green', warning: 'yellow', fault: 'red' } as const;
const COLUMNS = { state: 9, part: 10 } as const;

/** A line for each, with a line below for what is to do. */
export function printFindings(findings: readonly Finding[], shell: Pick<Shell, 'paint'>): string {
  return findings
    .map(({ state, part, what, mend }) => {
      const line = `${shell.paint(COLOURS[state], state.padEnd(COLUMNS.state))}${part.padEnd(COLUMNS.part)}${what}\n`;
      return mend === null ? line : `${line}${' '.repeat(COLUMNS.state + COLUMNS.part)}-> ${mend}\n`;
    })
    .join('');
}
