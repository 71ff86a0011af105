// Loaded before the service by `node --import …/mutant.ts?…`: one piece of one of its source files is another one.
import { registerHooks } from 'node:module';

const { searchParams } = new URL(import.meta.url);
const [file, whole, broken] = ['file', 'whole', 'broken'].map((name) => searchParams.get(name) ?? '');
if (!file || !whole) throw new RangeError('say what is broken: ?file=core/money.ts&whole=…&broken=…');

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context);
    if (!url.endsWith(`/src/${file}`)) return loaded;
    const source = String(loaded.source);
    if (!source.includes(whole)) throw new Error(`the mutant does not fit ${file}: it has no ${whole}`);
    return { ...loaded, source: source.replace(whole, () => broken ?? '') };
  },
});
