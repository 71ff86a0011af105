import { expect, test } from 'vitest';
import { userAccount } from '../../src/core/ids.ts';
import { chat } from '../../src/gateway/chat.ts';
import { makeGatewayKit } from '../support/gateway-kit.ts';
import { makeModel, makeProvider, makeRegistry } from '../support/registries.ts';

const TWO = makeRegistry(makeProvider('one', [makeModel('m-1', '10')]), makeProvider('two', [makeModel('m-2', '20')]));

test('a listener who stops between two attempts leaves nothing held and pays for nothing that was not sent', async () => {
  await using kit = makeGatewayKit({ registry: TWO });
  kit.provider('one').script({ kind: 'fail', failure: { kind: 'providerError' } });
  const events = chat(kit.deps, kit.callOf({ prompt: 'hello', userId: 'ann' }));
  expect((await events.next()).value).toMatchObject({ kind: 'started', routing: { attempts: [] } });
  expect((await events.next()).value).toMatchObject({ kind: 'rerouted', provider: 'two' });
  await events.return(null as never);
  expect(kit.provider('two').calls).toHaveLength(0);
  expect(await kit.store.account(userAccount('ann'))).toMatchObject({ held: 0n, posted: 0n });
});
