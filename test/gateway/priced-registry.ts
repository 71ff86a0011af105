import { makeModel, makeProvider, makeRegistry, usdPerMTok } from '../support/registries.ts';

function priced(name: string, input: string, output: string) {
  return makeModel(name, input, {
    price: { input: usdPerMTok(input), output: usdPerMTok(output), cachedInput: null, reasoning: null },
    maxOutputTokens: 1_000,
  });
}

/** Four providers, cheapest first: with `sort: price` they are tried in this order. Input and output are billed. */
export const PRICED = makeRegistry(
  makeProvider('a', [priced('m-a', '1', '10')]),
  makeProvider('b', [priced('m-b', '2', '20')]),
  makeProvider('c', [priced('m-c', '3', '30')]),
  makeProvider('d', [priced('m-d', '4', '40')]),
);
