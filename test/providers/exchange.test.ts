import { expect, test } from 'vitest';
import { makeExchange } from '../../src/providers/exchange.ts';

const furtherAnswer = () => new Response('further');

test.each([
  'http://provider.test/v1/chat',
  'https://provider.test:8443/v1/chat',
  'https://elsewhere.test/v1/chat',
  'https://provider.test.elsewhere.test/v1/chat',
  'https://provider.test@elsewhere.test/v1/chat',
  'https://elsewhere.test\\@provider.test/v1/chat',
])('a call that a provider package would send to %s never reaches the network', async (url) => {
  const called: string[] = [];
  using exchange = makeExchange({
    fetch: async (to) => {
      called.push(to);
      return new Response('{}');
    },
    origin: 'https://provider.test',
    furtherAnswer,
    isStreamed: false,
  });
  await expect(exchange.fetch(url, { headers: { authorization: 'Bearer key' } })).rejects.toThrow(/own address/);
  expect([called, exchange.progress()]).toEqual([[], { kind: 'unsent' }]);
  expect(await (await exchange.fetch('https://provider.test/v1/chat')).text()).toBe('{}');
});
