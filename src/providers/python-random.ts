import type { Chance } from '../ports/clock.ts';

const STATE_WORDS = 624;
const SHIFT_WORDS = 397;
const WORD_MASK = 0xffff_ffffn;

/**
 * The numbers of Python's `random.seed(seed)` followed by `random.random()`: MT19937 seeded by `init_by_array`, doubles
 * of 53 bits. The sign of the seed does not matter, as in Python. Source: CPython's Modules/_randommodule.c.
 */
export function makePythonRandom(seed: bigint): Chance {
  const state = seededState(wordsOf(seed < 0n ? -seed : seed));
  let next = STATE_WORDS;

  function word(): number {
    if (next >= STATE_WORDS) {
      twist(state);
      next = 0;
    }
    return tempered(at(state, next++));
  }

  return {
    next() {
      const high = word() >>> 5;
      const low = word() >>> 6;
      return (high * 0x400_0000 + low) / 0x20_0000_0000_0000;
    },
  };
}

/** The seed as 32-bit words, the least significant first; zero is one word. */
function wordsOf(seed: bigint): readonly number[] {
  const words = [Number(seed & WORD_MASK)];
  for (let rest = seed >> 32n; rest > 0n; rest >>= 32n) words.push(Number(rest & WORD_MASK));
  return words;
}

/** `init_by_array` of the reference implementation; its constants are part of the algorithm. */
function seededState(key: readonly number[]): Uint32Array {
  const state = plainState(19_650_218);
  let place = 1;
  const previous = (): number => at(state, place - 1) ^ (at(state, place - 1) >>> 30);
  const step = (): void => {
    place += 1;
    if (place < STATE_WORDS) return;
    state[0] = at(state, STATE_WORDS - 1);
    place = 1;
  };
  for (let round = 0; round < Math.max(STATE_WORDS, key.length); round += 1) {
    const index = round % key.length;
    state[place] = (at(state, place) ^ Math.imul(previous(), 1_664_525)) + (key[index] ?? 0) + index;
    step();
  }
  for (let round = 1; round < STATE_WORDS; round += 1) {
    state[place] = (at(state, place) ^ Math.imul(previous(), 1_566_083_941)) - place;
    step();
  }
  state[0] = 0x8000_0000;
  return state;
}

function plainState(seed: number): Uint32Array {
  const state = new Uint32Array(STATE_WORDS);
  state[0] = seed;
  for (let place = 1; place < STATE_WORDS; place += 1) {
    const previous = at(state, place - 1);
    state[place] = Math.imul(previous ^ (previous >>> 30), 1_812_433_253) + place;
  }
  return state;
}

function twist(state: Uint32Array): void {
  for (let place = 0; place < STATE_WORDS; place += 1) {
    const mixed = (at(state, place) & 0x8000_0000) | (at(state, (place + 1) % STATE_WORDS) & 0x7fff_ffff);
    const twisted = (mixed >>> 1) ^ (mixed & 1 ? 0x9908_b0df : 0);
    state[place] = at(state, (place + SHIFT_WORDS) % STATE_WORDS) ^ twisted;
  }
}

function tempered(word: number): number {
  let value = word;
  value ^= value >>> 11;
  value ^= (value << 7) & 0x9d2c_5680;
  value ^= (value << 15) & 0xefc6_0000;
  value ^= value >>> 18;
  return value >>> 0;
}

/** A word of the state. Every index above is below STATE_WORDS by construction. */
function at(state: Uint32Array, place: number): number {
  return state[place] ?? 0;
}
