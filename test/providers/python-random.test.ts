import { describe, expect, test } from 'vitest';
import { makePythonRandom } from '../../src/providers/python-random.ts';

function draws(seed: bigint, count: number): number[] {
  const random = makePythonRandom(seed);
  return Array.from({ length: count }, () => random.next());
}

/** From CPython 3: draws 1 to 3 and 1,298 to 1,300, past two turns of the generator's state. */
const VECTORS: readonly (readonly [seed: bigint, first: readonly number[], later: readonly number[]])[] = [
  [
    0n,
    [0.8444218515250481, 0.7579544029403025, 0.420571580830845],
    [0.10666013907247773, 0.8776394117814497, 0.04871767121707815],
  ],
  [
    1n,
    [0.13436424411240122, 0.8474337369372327, 0.763774618976614],
    [0.3361145774153067, 0.14271145506552207, 0.25500966051425156],
  ],
  [
    42n,
    [0.6394267984578837, 0.025010755222666936, 0.27502931836911926],
    [0.30958188741596093, 0.3766793060563002, 0.7916619578635435],
  ],
  [
    -42n,
    [0.6394267984578837, 0.025010755222666936, 0.27502931836911926],
    [0.30958188741596093, 0.3766793060563002, 0.7916619578635435],
  ],
  [
    4294967295n,
    [0.6353574441341173, 0.20319993954407756, 0.6073666030347188],
    [0.2873669992395287, 0.5883760295414204, 0.12848762068586594],
  ],
  [
    4294967296n,
    [0.11299430095636409, 0.41782886486292836, 0.0166763664992291],
    [0.4636149984296498, 0.8759344670119025, 0.13161455635617514],
  ],
  [
    4294967301n,
    [0.15727238718789782, 0.2824866316461999, 0.6044540318498407],
    [0.09772707921541202, 0.023813503948470927, 0.588697619766406],
  ],
  [
    18446744073709551615n,
    [0.021825695401270107, 0.3380953268613758, 0.21196748656082065],
    [0.5617261535573213, 0.8266999002046027, 0.7844892095307684],
  ],
  [
    1180591620717411315769n,
    [0.9602803546023011, 0.944938405487643, 0.11774044269768646],
    [0.8125269306984739, 0.6023167355865771, 0.5959589165687689],
  ],
  [
    123456789012345678901234567890n,
    [0.7275084571578186, 0.1595204831720859, 0.011812474780114934],
    [0.8104862457444351, 0.7925493431318327, 0.1097254685443001],
  ],
];

describe('the mock repeats the chance of the seed program', () => {
  test('the first ten draws after random.seed(42) are those of Python', () => {
    expect(draws(42n, 10)).toEqual([
      0.6394267984578837, 0.025010755222666936, 0.27502931836911926, 0.22321073814882275, 0.7364712141640124,
      0.6766994874229113, 0.8921795677048454, 0.08693883262941615, 0.4219218196852704, 0.029797219438070344,
    ]);
  });

  test('the same draws among the first 200 fall below 0.1', () => {
    const failing = draws(42n, 200).flatMap((draw, index) => (draw < 0.1 ? [index + 1] : []));
    expect(failing).toEqual([
      2, 8, 10, 13, 20, 27, 28, 42, 45, 68, 89, 90, 95, 101, 125, 127, 132, 135, 137, 161, 166, 177, 184, 198,
    ]);
  });

  test.each(VECTORS)('seed %s gives what CPython gives, early and late', (seed, first, later) => {
    const all = draws(seed, 1_300);
    expect(all.slice(0, 3)).toEqual(first);
    expect(all.slice(-3)).toEqual(later);
  });

  test('two generators of one seed do not disturb each other', () => {
    const first = makePythonRandom(7n);
    const second = makePythonRandom(7n);
    first.next();
    expect(second.next()).toBe(makePythonRandom(7n).next());
  });
});
