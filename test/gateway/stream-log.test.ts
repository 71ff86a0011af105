import { expect, test } from 'vitest';
import type { Delta } from '../../src/core/delta.ts';
import { makeStreamLog, type StreamLog } from '../../src/gateway/stream-log.ts';

/** A turn of the event loop that a test takes by hand. */
function makeTurns() {
  let waiting: (() => void)[] = [];
  return {
    soon: (act: () => void) => void waiting.push(act),
    take() {
      const acts = waiting;
      waiting = [];
      for (const act of acts) act();
    },
  };
}

function tell(log: StreamLog, ...deltas: readonly Delta[]): void {
  for (const delta of deltas) log.append({ kind: 'delta', delta });
}

const text = (of: string): Delta => ({ kind: 'text', text: of });
const thought = (of: string): Delta => ({ kind: 'reasoning', text: of });
const call = (index: number, name: string | null, argumentsChunk: string): Delta => ({
  kind: 'toolCall',
  index,
  id: name,
  name,
  argumentsChunk,
});

/** Everything there is to read now, by its place. */
async function readAll(log: StreamLog, from = 0): Promise<readonly unknown[]> {
  const found: unknown[] = [];
  const leave = new AbortController();
  for (let at = from; ; at += 1) {
    const read = log.read(at, leave.signal);
    setImmediate(() => leave.abort());
    const { kind, ...rest } = await read;
    if (kind !== 'event') return found;
    const { placed } = rest as { placed: { sequence: number; event: { delta?: Delta; kind: string } } };
    expect(placed.sequence).toBe(at);
    found.push(placed.event.delta ?? placed.event.kind);
  }
}

test('pieces of one kind that come in one turn are one piece, and later ones another, for every reader', async () => {
  const turns = makeTurns();
  const log = makeStreamLog(turns);
  tell(log, thought('hm'), thought('m'), text('a'), text('b'));
  turns.take();
  tell(log, text('c'), call(0, 'weather', '{"a"'), call(0, null, ':1}'), call(1, 'weather', '{}'), text('d'));
  turns.take();
  const pieces = [
    thought('hmm'),
    text('ab'),
    text('c'),
    call(0, 'weather', '{"a":1}'),
    call(1, 'weather', '{}'),
    text('d'),
  ];
  expect(await readAll(log)).toEqual(pieces);
  expect(await readAll(log, 2)).toEqual(pieces.slice(2));
});

test('no piece waits for longer than its turn, nor past what comes after it', async () => {
  const turns = makeTurns();
  const log = makeStreamLog(turns);
  tell(log, text('a'));
  expect(await readAll(log)).toEqual([]);
  turns.take();
  expect(await readAll(log)).toEqual([text('a')]);
  tell(log, text('b'));
  log.close();
  expect(await readAll(log)).toEqual([text('a'), text('b')]);
});
