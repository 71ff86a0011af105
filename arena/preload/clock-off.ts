// Loaded before the service by `node --import …/clock-off.ts?ms=600000`: a machine whose clock is wrong by so much. Only the
// time of day is shifted; what measures spans goes on as it was, as on such a machine.
const offMs = Number(new URL(import.meta.url).searchParams.get('ms'));
if (!Number.isFinite(offMs)) throw new RangeError('say by how many milliseconds the clock is off: ?ms=600000');

globalThis.Date = new Proxy(Date, {
  construct: (real, words, as) => Reflect.construct(real, words.length === 0 ? [real.now() + offMs] : words, as),
  apply: (real) => new real(real.now() + offMs).toString(),
  get: (real, name) => (name === 'now' ? () => real.now() + offMs : Reflect.get(real, name)),
});
