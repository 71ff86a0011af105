/** Counts what is under way, so that the service can wait for it before it stops. */
export interface InFlight {
  readonly count: number;
  /** Counts from now until the work has ended, in whichever way. */
  run<Result>(work: () => Result | Promise<Result>): Promise<Result>;
  /** Resolves as soon as nothing is under way. */
  whenIdle(): Promise<void>;
}

export function makeInFlight(): InFlight {
  let count = 0;
  let waiting: (() => void)[] = [];
  return {
    get count() {
      return count;
    },
    async run(work) {
      count += 1;
      try {
        return await work();
      } finally {
        count -= 1;
        if (count === 0) {
          for (const tell of waiting) tell();
          waiting = [];
        }
      }
    },
    whenIdle() {
      return count === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve));
    },
  };
}
