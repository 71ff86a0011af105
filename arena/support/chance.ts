/** Chance that can be repeated: the same seed gives the same run, as far as a run of real processes can be the same. */
export interface Chance {
  /** From 0 up to, but not including, 1. */
  next(): number;
  /** A whole number, both bounds included. */
  int(range: { readonly min: number; readonly max: number }): number;
  pick<T>(list: readonly T[]): T;
  /** Chance of its own for one part of a run, so that one part's draws do not shift another's. */
  fork(name: string): Chance;
}

/** Mulberry32: 32 bits of state are plenty for choosing delays and callers. */
export function makeChance(seed: number): Chance {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    next,
    int: ({ min, max }) => min + Math.floor(next() * (max - min + 1)),
    pick(list) {
      const picked = list[Math.floor(next() * list.length)];
      if (picked === undefined) throw new RangeError('nothing to pick from');
      return picked;
    },
    fork: (name) => makeChance(hashOf(`${seed}/${name}`)),
  };
}

/** FNV-1a, 32 bits. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}
