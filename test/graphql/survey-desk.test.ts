import { expect, test } from 'vitest';
import { providerKey } from '../../src/core/ids.ts';
import { makeSurveyDesk } from '../../src/graphql/survey-desk.ts';
import { makeMemoryStore } from '../../src/store/memory/store.ts';
import { makeFakeClock } from '../fakes/clock.ts';
import { REPLICA } from '../support/gateway-kit.ts';
import { makeModel, makeProvider, makeRegistry } from '../support/registries.ts';

const OLD = makeRegistry(makeProvider('old', [makeModel('old-1', '1')]));
const NEW = makeRegistry(makeProvider('new', [makeModel('new-1', '1')]));

test('one look serves a whole operation, and a provider that came while it ran is looked for once more', async () => {
  const store = makeMemoryStore({ registry: OLD, now: makeFakeClock().now, replica: REPLICA });
  let looks = 0;
  const desk = makeSurveyDesk({
    surveyProviders() {
      looks += 1;
      return store.survey();
    },
  });
  await Promise.all([desk.look(providerKey('old')), desk.look(providerKey('old'))]);
  expect(looks).toBe(1);
  await store.adopt(NEW);
  expect((await desk.look(providerKey('new'))).survey.state.provider).toBe('new');
  expect((await desk.look(providerKey('old'))).survey.state.provider).toBe('old');
  expect(looks).toBe(2);
  await expect(desk.look(providerKey('none'))).rejects.toThrow('leaves out none');
});
