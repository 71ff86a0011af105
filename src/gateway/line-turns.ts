import type { ApiKeyId } from '../core/ids.ts';

/** How many acts of one line of keys a replica has under way. Its acts wait for one another in the store all the same. */
const UNDER_WAY_MAX = 2;

interface Line {
  underWay: number;
  readonly waiting: (() => void)[];
}

/** Lets a line of keys have few acts under way, whatever it sends: others find the store free. */
export interface LineTurns {
  /** Runs an act when its turn has come. The acts have an end by themselves, so every turn comes. */
  take<Result>(line: ApiKeyId, act: () => Promise<Result>): Promise<Result>;
  waitingOf(line: ApiKeyId): number;
}

export function makeLineTurns(): LineTurns {
  const lines = new Map<ApiKeyId, Line>();
  const lineOf = (id: ApiKeyId): Line => {
    const line = lines.get(id) ?? { underWay: 0, waiting: [] };
    lines.set(id, line);
    return line;
  };
  return {
    async take(id, act) {
      const line = lineOf(id);
      if (line.underWay < UNDER_WAY_MAX) line.underWay += 1;
      else await new Promise<void>((resolve) => line.waiting.push(resolve));
      try {
        return await act();
      } finally {
        // Whoever is next has this turn: nobody comes between.
        const next = line.waiting.shift();
        if (next === undefined) line.underWay -= 1;
        else next();
        if (line.underWay === 0) lines.delete(id);
      }
    },
    waitingOf: (id) => lines.get(id)?.waiting.length ?? 0,
  };
}
