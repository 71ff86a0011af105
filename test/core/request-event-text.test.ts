import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eventOf, presentOf } from '../../src/core/request-event.ts';
import { decodeRequestEvent, formatRequestEvent } from '../../src/core/request-event-text.ts';
import type { RequestView } from '../../src/core/request-record.ts';
import { makeRecord, records } from '../support/request-records.ts';

const views: fc.Arbitrary<RequestView> = fc.oneof(
  records,
  records.map(
    (record): RequestView => ({ ...record, status: 'running', usage: null, finishReason: null, error: null }),
  ),
);

test('an event that another replica tells is the same to the last digit, but for the decision, which stays behind', () => {
  fc.assert(
    fc.property(views, (view) => {
      const failed = view.status === 'running' ? (view.routing?.attempts[0] ?? null) : null;
      for (const event of [eventOf(view, failed), presentOf(view)]) {
        const read = decodeRequestEvent(JSON.parse(formatRequestEvent(event)));
        expect(read).toEqual({ ...event, request: { ...event.request, routing: null } });
      }
    }),
  );
});

test('what no replica of this version says is refused', () => {
  const event = JSON.parse(formatRequestEvent(eventOf(makeRecord(1), null)));
  for (const change of [{ kind: 'paused' }, { request: null }, { attempt: {} }, { occurredAtMs: 'noon' }]) {
    expect(() => decodeRequestEvent({ ...event, ...change })).toThrow('should hold');
  }
});

test('an event says what happened, and when, by the request itself', () => {
  const record = makeRecord(5);
  expect(eventOf(record, null)).toMatchObject({ kind: 'succeeded', occurredAtMs: record.createdAtMs + 200 });
  const running: RequestView = { ...record, status: 'running' };
  expect(eventOf(running, null)).toMatchObject({ kind: 'started', attempt: null });
  expect(eventOf(running, record.routing.attempts[0]!)).toMatchObject({ kind: 'rerouted', attempt: { number: 1 } });
  expect(presentOf(running)).toMatchObject({ kind: 'started', occurredAtMs: record.createdAtMs });
});
