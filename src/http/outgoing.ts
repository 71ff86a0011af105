import type { ServerResponse } from 'node:http';

/** Resolves when the answer has gone out, or nobody is there to take it. */
export function whenSent(response: ServerResponse): Promise<void> {
  return whenEither(response, 'finish');
}

/** Resolves when more can be written, or never will be. */
export function whenDrained(response: ServerResponse): Promise<void> {
  return whenEither(response, 'drain');
}

/** Leaves no listener behind: a long stream waits often. */
function whenEither(response: ServerResponse, event: 'finish' | 'drain'): Promise<void> {
  if (response.closed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      response.off(event, done);
      response.off('close', done);
      resolve();
    };
    response.on(event, done);
    response.on('close', done);
  });
}
