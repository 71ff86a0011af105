import { expect, test } from 'vitest';
import { parseOptions } from '../../arena/options.ts';

const KNOWN = [1, 2, 14];

function parse(...words: readonly string[]) {
  return parseOptions(words, KNOWN);
}

test('without words the quick tier runs everything, with a seed that is told', () => {
  const options = parse();
  expect(options).toMatchObject({ kind: 'run', tier: 'quick', only: null, isMutants: false, jsonPath: null });
  expect(options.kind === 'run' && Number.isInteger(options.seed)).toBe(true);
});

test('words choose the tier, the experiments, the seed and the file', () => {
  expect(parse('--full', '--only', '1,14', '--seed', '7', '--json', 'out.json')).toEqual({
    kind: 'run',
    tier: 'full',
    only: [1, 14],
    seed: 7,
    isMutants: false,
    sizes: {},
    isKept: false,
    jsonPath: 'out.json',
  });
  expect(parse('--set', 'kills=3', '--set', 'speed=1.5')).toMatchObject({ sizes: { kills: 3, speed: 1.5 } });
  expect(parse('--mutants')).toMatchObject({ isMutants: true });
  expect(parse('--list')).toEqual({ kind: 'list' });
  expect(parse('--publish', 'figures.json')).toEqual({ kind: 'publish', path: 'figures.json' });
  expect(parse('--help', '--only', '9')).toEqual({ kind: 'help' });
});

test.each([
  [['--only', '3'], '--only takes numbers of experiments: 1, 2, 14'],
  [['--only', 'all'], '--only takes numbers'],
  [['--seed', '-1'], "Option '--seed"],
  [['--seed', 'x'], '--seed takes a whole number'],
  [['--set', 'kills'], '--set takes a name and a number'],
  [['--slow'], "Unknown option '--slow'"],
  [['1'], 'Unexpected argument'],
])('%j is refused with a reason', (words, reason) => {
  const options = parse(...words);
  expect(options).toMatchObject({ kind: 'wrong' });
  expect(options.kind === 'wrong' && options.message).toContain(reason);
});
