import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

/** One request that an upstream received, and what it will be paid for. */
export interface BillEntry {
  /** The count of requests received, from 1. */
  readonly number: number;
  readonly provider: string;
  /** What the client wrote into the prompt, to find its request again. */
  readonly tag: string;
  /** When it was received, in ms of the arena's monotonic clock. */
  readonly atMs: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** In pico-dollars. Zero when it was refused before any work. */
  readonly amount: bigint;
}

/** The file that upstreams write on receipt, before they answer. Appended to only. */
export interface Bill extends Disposable {
  /** Or adds to what the request of that number was billed already. */
  add(entry: BillEntry): void;
  /** Everything billed so far, one entry for each request, read back from the file. */
  read(): readonly BillEntry[];
}

export const ENTRIES_MAX = 1_000_000;

export function openBill(path: string): Bill {
  const descriptor = openSync(path, 'a', 0o600);
  let count = 0;
  return {
    add(entry) {
      count += 1;
      if (count > ENTRIES_MAX) throw new RangeError(`a bill has at most ${ENTRIES_MAX} entries: shorten the run`);
      writeSync(descriptor, `${JSON.stringify({ ...entry, amount: entry.amount.toString() })}\n`);
    },
    read: () =>
      summed(
        readFileSync(path, 'utf8')
          .split('\n')
          .filter((line) => line !== '')
          .map(parseEntry),
      ),
    [Symbol.dispose]: () => closeSync(descriptor),
  };
}

function summed(entries: readonly BillEntry[]): readonly BillEntry[] {
  const sums = new Map<number, BillEntry>();
  for (const entry of entries) {
    const sum = sums.get(entry.number);
    sums.set(entry.number, sum === undefined ? entry : plus(sum, entry));
  }
  return [...sums.values()];
}

function plus(sum: BillEntry, more: BillEntry): BillEntry {
  return {
    ...sum,
    inputTokens: sum.inputTokens + more.inputTokens,
    outputTokens: sum.outputTokens + more.outputTokens,
    amount: sum.amount + more.amount,
  };
}

function parseEntry(line: string): BillEntry {
  const entry = JSON.parse(line);
  return { ...entry, amount: BigInt(entry.amount) };
}
