import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LOG_LIMITS, makeLog } from '../../src/telemetry/log.ts';

/** What a log has written, as it went out. */
function linesOf(write: (log: ReturnType<typeof makeLog>) => void): readonly string[] {
  const lines: string[] = [];
  write(makeLog({ level: 'debug', stream: { write: (line) => void lines.push(line) } }));
  return lines;
}

test.each([
  ['line breaks', 'ann\r\n{"level":"info","msg":"forged"}'],
  ['other line breaks', 'ann\u2028\u2029\u0085forged'],
  ['ANSI sequences', '\u001b[2J\u001b]0;title\u0007\u009b31m'],
  ['text that turns around', '\u202eevil\u202c \u2066x\u2069 \u200f'],
  ['hidden text', 'a\u200bb\ufeffc\u00add\u2060'],
  ['quotes', '","level":"fatal","x":"'],
  ['NUL and DEL', '\0\u007f'],
  ['half a character', '\ud83d'],
])(
  '%s in a value, in a message and in a name stay within one line, which is JSON, and nothing of them is obeyed',
  (_name, text) => {
    const lines = linesOf((log) => log.with({ caller: text }).warn(text, { userId: text, [text]: 1 }));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*\n$/u);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'warn', caller: text, userId: text, msg: text });
  },
);

test('whatever stands in a value comes back as it was', () => {
  const property = fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (text) => {
    const [line = ''] = linesOf((log) => log.info('said', { text }));
    expect(line.indexOf('\n')).toBe(line.length - 1);
    expect(JSON.parse(line)).toMatchObject({ level: 'info', msg: 'said', text });
  });
  fc.assert(property);
});

test('a long value and a long message are cut, so that nobody fills the disk with one request', () => {
  const long = '\u{1F600}'.repeat(1_000_000);
  const [line = ''] = linesOf((log) => log.with({ a: long }).error(long, { b: long, count: 3, missing: null }));
  const { a, b, msg, count, missing } = JSON.parse(line);
  for (const text of [a, b, msg]) expect(text).toHaveLength(LOG_LIMITS.textCharsMax);
  expect([a.isWellFormed(), a.at(-1), count, missing]).toEqual([true, '…', 3, null]);
});
