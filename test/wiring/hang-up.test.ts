import { expect, test } from 'vitest';
import { makeHangUpCheck } from '../../src/wiring/hang-up.ts';

test('only who had a terminal at the start, and has it no more, was hung up', () => {
  const [there, gone] = [import.meta.filename, `${import.meta.filename}.gone`];
  const isHungUp = (hadTerminal: boolean, terminal: string) => makeHangUpCheck({ hadTerminal, terminal })();
  expect([isHungUp(true, there), isHungUp(true, gone), isHungUp(false, gone)]).toEqual([false, true, false]);
});
