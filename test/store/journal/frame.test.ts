import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { holdId } from '../../../src/core/ids.ts';
import { type Entry, FILE_HEAD, frameOf, readFrames } from '../../../src/store/journal/frame.ts';

const entry: fc.Arbitrary<Entry> = fc.oneof(
  fc.record({
    kind: fc.constant('sent' as const),
    holdId: fc.uuid().map(holdId),
    slice: fc.option(fc.uuid().map(holdId)),
  }),
  fc.record({
    kind: fc.constant('settle' as const),
    holdId: fc.uuid().map(holdId),
    act: fc.string({ unit: 'grapheme' }),
  }),
  fc.record({ kind: fc.constant('act' as const), act: fc.string({ unit: 'grapheme' }) }),
);
const file = fc.array(entry, { maxLength: 8 }).map((entries) => ({
  entries,
  bytes: Buffer.concat([FILE_HEAD, ...entries.map(frameOf)]),
}));

describe('a journal file', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(file, ({ entries, bytes }) => {
        expect(readFrames(bytes)).toEqual({ entries, ending: 'whole' });
      }),
    );
  });

  test('that breaks off at any byte gives every entry before that, and nothing else', () => {
    fc.assert(
      fc.property(file, ({ entries, bytes }) => {
        for (let length = 0; length <= bytes.length; length += 1) {
          const cut = readFrames(bytes.subarray(0, length));
          expect(cut.entries).toEqual(entries.slice(0, cut.entries.length));
          expect(cut.ending).not.toBe('damaged');
          if (length === bytes.length) expect(cut.entries).toHaveLength(entries.length);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('with any one byte wrong never throws, never invents an entry, and loses at most the one that was hit', () => {
    fc.assert(
      fc.property(file, fc.nat(), fc.integer({ min: 1, max: 255 }), ({ entries, bytes }, at, change) => {
        const wrong = Buffer.from(bytes);
        const place = at % wrong.length;
        wrong[place] = wrong[place]! ^ change;
        const read = readFrames(wrong);
        const left = [...entries];
        for (const found of read.entries) {
          const where = left.findIndex((known) => JSON.stringify(known) === JSON.stringify(found));
          expect(where).toBeGreaterThanOrEqual(0);
          left.splice(0, where + 1);
        }
        expect(read.entries.length).toBeGreaterThanOrEqual(entries.length - 1);
        expect(read.ending).not.toBe('whole');
      }),
      { numRuns: 500 },
    );
  });

  test('says that it is damaged when something stands unreadable before something that can be read', () => {
    const frames = [FILE_HEAD, frameOf({ kind: 'act', act: 'first' }), frameOf({ kind: 'act', act: 'second' })];
    const bytes = Buffer.concat(frames);
    bytes[FILE_HEAD.length + 10] = 0;
    expect(readFrames(bytes)).toEqual({ entries: [{ kind: 'act', act: 'second' }], ending: 'damaged' });
  });

  test('of noise or nothing is an empty one', () => {
    expect(readFrames(Buffer.alloc(0))).toEqual({ entries: [], ending: 'whole' });
    expect(readFrames(Buffer.alloc(100_000))).toEqual({ entries: [], ending: 'torn' });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (noise) => readFrames(Buffer.from(noise)).entries.length === 0),
    );
  });
});
