import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { StreamCall } from '../../../src/gateway/gateway.ts';
import type { StreamEvent, StreamPiece } from '../../../src/gateway/stream-log.ts';
import { answered, COST, DECISION, endingsAt, TIMING } from '../../fakes/gateway-data.ts';
import { quiet } from '../../support/gateway-kit.ts';
import type { Service } from '../running-server.ts';
import { CHAT, said } from './rest-kit.ts';

export const STREAM = said('hi', { stream: true, model: 'smart' });
export const WITH_USAGE = { ...STREAM, stream_options: { include_usage: true } };

/** A stream that a test tells event by event. */
export function hold(service: Service) {
  const events: (StreamEvent | 'lost' | Error)[] = [];
  let wake = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<StreamCall>();
  let isOver = false;
  const left = Promise.withResolvers<void>();
  const tell = (...more: readonly (StreamEvent | 'lost' | Error)[]) => {
    events.push(...more);
    wake.resolve();
    wake = Promise.withResolvers();
  };
  async function* pieces(call: StreamCall): AsyncGenerator<StreamPiece> {
    call.signal.addEventListener('abort', () => {
      isOver = true;
      tell();
    });
    begun.resolve(call);
    try {
      for (let sequence = 0; !isOver; ) {
        const event = events.shift();
        if (event === undefined) await wake.promise;
        else if (event === 'lost') yield { kind: 'lost' };
        else if (event instanceof Error) throw event;
        else {
          yield { sequence, event };
          sequence += 1;
          if (event.kind === 'ended') return;
        }
      }
    } finally {
      left.resolve();
    }
  }
  service.gateway.onStream = pieces;
  return { begun: begun.promise, left: left.promise, tell };
}

export function started(call: StreamCall): StreamEvent {
  return { kind: 'started', requestId: call.requestId, routing: { ...DECISION, attempts: [] } };
}

export function text(piece: string): StreamEvent {
  return { kind: 'delta', delta: { kind: 'text', text: piece } };
}

export function ended(service: Service, call: StreamCall): StreamEvent {
  return { kind: 'ended', outcome: answered({ ...call, onDelta: null }, service.gateway.now()) };
}

export function failed(service: Service, call: StreamCall, kind: keyof ReturnType<typeof endingsAt>): StreamEvent {
  const why = endingsAt(service.gateway.now())[kind];
  return {
    kind: 'ended',
    outcome: { kind: 'ended', requestId: call.requestId, why, routing: DECISION, cost: COST, timing: TIMING },
  };
}

/** A stream whose events are known beforehand. */
export function play(service: Service, eventsOf: (call: StreamCall) => readonly StreamEvent[]) {
  service.gateway.onStream = (call) => eventsOf(call).map((event, sequence) => ({ sequence, event }));
}

/** A reader who sees headers and bytes when they come. */
export function open(service: Service): Promise<{ response: IncomingMessage; received: () => string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const options = { host: '127.0.0.1', port: service.port, method: 'POST', path: CHAT, headers };
    const request = httpRequest(options, (response) => {
      let received = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        received += chunk;
      });
      response.on('error', () => undefined);
      resolve({ response, received: () => received });
    });
    request.on('error', reject);
    request.end(JSON.stringify(STREAM));
  });
}

/** Lets bytes cross the loopback. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await quiet();
}
