import { expect, test } from 'vitest';
import { knownWith } from '../../src/core/registry.ts';
import { makeModel, makeProvider, makeRegistry } from '../support/registries.ts';

const registryOf = (...keys: readonly string[]) =>
  makeRegistry(...keys.map((key) => makeProvider(key, [makeModel(`${key}-1`, '1')])));

test('providers that left stay known after those of the registry, the last thousand of them', () => {
  expect(knownWith(registryOf('b', 'c'), knownWith(registryOf('a', 'b'), []))).toEqual(['b', 'c', 'a']);
  let known = knownWith(registryOf('p0'), []);
  for (let step = 1; step <= 1_005; step += 1) known = knownWith(registryOf(`p${step}`), known);
  expect([known.length, known[0], known[1], known.at(-1)]).toEqual([1_001, 'p1005', 'p1004', 'p5']);
});
