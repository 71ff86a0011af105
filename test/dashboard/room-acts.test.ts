import { describe, expect, test } from 'vitest';
import { connected, greet, names } from './connected.ts';
import { at, providerNow, row, START_MS } from './wire.ts';

describe('an act', () => {
  test('on a provider is sent, told, and shown as the answer has it', () => {
    const { world, room, link } = connected();
    room.acts.simulate('openai', { mode: 'TIMEOUT', durationS: 90 });
    const run = link().run('Simulate');
    expect(run.variables).toEqual({ provider: 'openai', mode: 'TIMEOUT', duration: 'PT90S' });
    const simulation = { mode: 'TIMEOUT', rate: 1, endsAt: at(90), failuresInjected: 0 };
    run.data({
      simulateFailure: { __typename: 'SimulateFailureSuccess', provider: { ...providerNow('openai'), simulation } },
    });
    world.draw();
    expect(room.see.providers.value[0]?.simulation).toMatchObject({ mode: 'TIMEOUT', endsAtMs: START_MS + 90_000 });
    expect(room.see.notices.value).toEqual([
      { id: 1, tone: 'done', text: 'openai: failures are simulated for 90 s', code: null },
    ]);
  });

  test('that is refused, by the field or by the answer, or that finds no connection, is told with its code', () => {
    const { world, room, link } = connected();
    room.acts.disable('openai');
    link().run('SetEnabled').failed({ code: 'FORBIDDEN', message: 'needs the scope providers:admin' });
    room.acts.simulate('openai', { mode: 'ERROR', durationS: 60 });
    link()
      .run('Simulate')
      .data({ simulateFailure: { __typename: 'FeatureDisabledError', code: 'FEATURE_DISABLED', message: 'off' } });
    link().events.closed(1006);
    room.acts.resetBreaker('openai');
    world.draw();
    expect(room.see.notices.value.map(({ tone, code }) => [tone, code])).toEqual([
      ['failed', 'FORBIDDEN'],
      ['failed', 'FEATURE_DISABLED'],
      ['failed', 'NOT_CONNECTED'],
    ]);
    room.acts.dismiss(2);
    world.draw();
    expect(room.see.notices.value.map(({ id }) => id)).toEqual([1, 3]);
  });

  test('that is cut off before its answer is told as what it is: nobody knows', () => {
    const { world, room, link } = connected();
    room.acts.resetBreaker('openai');
    link().run('ResetBreaker').lost();
    room.acts.enable('openai');
    link().run('SetEnabled').failed({ code: 'FORBIDDEN', message: 'needs the scope providers:admin' });
    link().run('SetEnabled').lost();
    world.draw();
    expect(room.see.notices.value).toMatchObject([
      {
        code: 'CONNECTION_LOST',
        text: expect.stringMatching(/^The breaker of openai was to be reset: .+ look at the card/),
      },
      { code: 'FORBIDDEN' },
    ]);
  });

  test('that looks at a request reads its why, and again when something happens to it', () => {
    const { world, room, link } = connected();
    const shown = () => {
      world.draw();
      return room.see.selected.value;
    };
    room.acts.select('req_1');
    expect(shown()).toEqual({ id: 'req_1', detail: 'loading' });
    const wanted = { ...row('req_1', 1), routing: null, usage: null, cost: null, timing: null };
    link().run('OneRequest').data({ request: wanted });
    expect(shown()?.detail).toMatchObject({ kind: 'detail', decision: { id: 'req_1' } });
    const before = names(link()).length;
    link()
      .run('RequestEvents')
      .data({ requestEvents: { request: row('req_2', 2), dropped: 0 } });
    expect(names(link())).toHaveLength(before);
    link()
      .run('RequestEvents')
      .data({ requestEvents: { request: row('req_1', 1), dropped: 0 } });
    link().run('OneRequest').data({ request: null });
    expect(shown()).toEqual({ id: 'req_1', detail: 'gone' });
    room.acts.deselect();
    expect(shown()).toBeNull();
  });
});

describe('a prompt', () => {
  test('is previewed when the user rests, as it stands then', () => {
    const { world, room, link } = connected();
    room.acts.setPrompt('H');
    world.pass(299);
    room.acts.setPrompt('Hi');
    world.pass(299);
    expect(names(link())).not.toContain('Preview');
    world.pass(1);
    expect(link().run('Preview').variables).toEqual({ prompt: 'Hi' });
    link().run('Preview').failed({ code: 'FORBIDDEN', message: '`routePreview` needs the scope chat' });
    world.draw();
    expect(room.see.tryIt.value.preview).toEqual({ kind: 'refused', why: '`routePreview` needs the scope chat' });
  });

  test('that was sent goes on over the next connection, under the same key, and no piece of it is shown twice', () => {
    const { world, room, link } = connected();
    room.acts.setPrompt('Hi');
    room.acts.send();
    room.acts.send();
    expect(names(link()).filter((name) => name === 'TryIt')).toHaveLength(1);
    const started = { __typename: 'ChatStarted', sequence: 0, requestId: 'req_1', routing: { candidates: [] } };
    const delta = (sequence: number, content: string) => ({
      chatStream: { __typename: 'ChatDelta', sequence, content },
    });
    link().run('TryIt').data({ chatStream: started });
    link().run('TryIt').data(delta(1, 'Hel'));
    link().events.closed(1006);
    world.pass(1_000);
    greet(link());
    const again = link().run('TryIt');
    expect(again.variables).toEqual({ prompt: 'Hi', idempotencyKey: 'name-1', resumeAfter: 1 });
    again.data(delta(1, 'Hel'));
    again.data(delta(2, 'lo'));
    world.draw();
    expect(room.see.tryIt.value.answer).toMatchObject({ kind: 'streaming', text: 'Hello' });
    again.ended();
    room.acts.send();
    expect(link().run('TryIt').variables).toMatchObject({ idempotencyKey: 'name-2', resumeAfter: null });
  });

  test('that was sent is stopped by the gateway, as soon as it has a name, and its end is what the gateway says', () => {
    const { world, room, link } = connected();
    const answer = () => {
      world.draw();
      return room.see.tryIt.value.answer;
    };
    const cancels = () => link().runs.filter(({ name }) => name === 'CancelChat');
    const say = (chatStream: object) => link().run('TryIt').data({ chatStream });
    room.acts.setPrompt('Hi');
    room.acts.send();
    room.acts.stopAnswer();
    room.acts.stopAnswer();
    expect([answer(), cancels()]).toMatchObject([{ kind: 'streaming', isStopping: true }, []]);
    say({ __typename: 'ChatStarted', sequence: 0, requestId: 'req_1', routing: { candidates: [] } });
    expect(cancels().map(({ variables }) => variables)).toEqual([{ requestId: 'req_1' }]);
    // It is not known whether that arrived: it is said again.
    link().events.closed(1006);
    world.pass(1_000);
    greet(link());
    expect(cancels().map(({ variables }) => variables)).toEqual([{ requestId: 'req_1' }]);
    link()
      .run('CancelChat')
      .data({ cancelChat: { __typename: 'NotFoundError', code: 'NOT_FOUND', message: 'gone' } });
    expect(answer()).toMatchObject({ kind: 'streaming', isStopping: false });
    expect(room.see.notices.value).toMatchObject([{ text: 'It was not stopped: gone', code: 'NOT_FOUND' }]);
    room.acts.stopAnswer();
    const error = { code: 'CANCELLED', message: 'cancelled', requestId: 'req_1' };
    say({ __typename: 'ChatFailed', sequence: 1, costUsd: '0.002', error });
    expect([cancels().length, answer()]).toMatchObject([2, { kind: 'failed', costUsd: '0.002' }]);
  });

  test('that runs when its key is forgotten is stopped before the line is hung up', () => {
    const { room, link } = connected();
    room.acts.setPrompt('Hi');
    room.acts.send();
    const chatStream = { __typename: 'ChatStarted', sequence: 0, requestId: 'req_1', routing: { candidates: [] } };
    link().run('TryIt').data({ chatStream });
    const used = link();
    room.acts.forgetKey();
    expect(used.run('CancelChat').variables).toEqual({ requestId: 'req_1' });
  });
});

describe('a key', () => {
  test('is asked for when the gateway wants one, sent along, and forgotten with all that it showed', () => {
    const { world, room, link } = connected();
    link()
      .run('RequestEvents')
      .data({ requestEvents: { request: row('req_1', 1), dropped: 0 } });
    link().events.closed(4401);
    world.draw();
    expect(room.see.connection.value).toEqual({ kind: 'locked', why: 'This gateway asks for an API key.' });
    expect(room.see.decisions.value).toEqual([]);
    // Nobody knocks again with what does not open.
    world.pass(60_000);
    expect(world.links).toHaveLength(1);

    room.acts.enterKey(' sk-wrong ', 'untilReload');
    expect(link().authorization).toBe('Bearer sk-wrong');
    world.draw();
    expect(room.see.connection.value).toEqual({ kind: 'connecting' });
    link().events.closed(4401);
    world.draw();
    expect(room.see.connection.value).toMatchObject({ why: expect.stringContaining('does not work') });
    expect(world.kept()).toBeNull();

    room.acts.enterKey('sk-right', 'untilTabCloses');
    greet(link());
    world.draw();
    expect([room.see.connection.value.kind, world.kept()]).toEqual(['live', 'sk-right']);
    // Whose key it is does not matter: the gateway's own, ADMIN_KEY, has no name.
    expect(room.hasKey.value).toBe(true);
    const used = link();
    room.acts.forgetKey();
    expect([used.isClosed(), link().authorization, world.kept(), room.hasKey.value]).toEqual([true, null, null, false]);
  });

  test('that the tab kept is used at once; one that ends while the page is open closes it', () => {
    const { world, room, link } = connected('sk-kept');
    expect([link().authorization, room.hasKey.value]).toEqual(['Bearer sk-kept', true]);
    link().events.closed(4403);
    world.draw();
    expect(room.see.connection.value).toEqual({ kind: 'locked', why: 'This key has ended.' });
    expect([room.see.providers.value, world.kept()]).toEqual([[], null]);
  });
});
