import { CATEGORIES, type Category, type Classification } from './category.ts';
import {
  MAKERS,
  OPENERS,
  OTHER_SENSES,
  PREAMBLES,
  PRODUCTS,
  type Shelves,
  STRUCTURES,
  WORDS,
} from './classify-cues.ts';

const CLASSIFIER = 'cues-1';

const LIMITS = {
  /** Of a longer text only its beginning and its end are read. */
  headCharsMax: 4_000,
  tailCharsMax: 2_000,
  signalsMax: 8,
} as const;

/** The request is stated in the first or the last words; what lies between is mostly the text it is about. */
const ASK = { headWords: 60, tailWords: 30, weightBetween: 0.4 } as const;

const PRODUCT_WORDS = 10;
const PRODUCT_WEIGHT = 4;

/** Where nothing speaks for any class, the class is general. */
const GENERAL_HEAD_START = 0.5;

/** How fast confidence grows with the lead: a lead of 1 makes the odds e^0.6. */
const SHARPNESS = 0.6;

interface Cue {
  readonly category: Category;
  readonly weight: number;
}

/** One piece of evidence in one prompt. */
interface Find extends Cue {
  readonly signal: string;
}

/** Cues ready to be looked up by their words joined by spaces. */
interface Lexicon<T> {
  readonly entries: ReadonlyMap<string, readonly T[]>;
  /** For the first word of every cue: how many words the cues beginning with it have, the longest first. */
  readonly lengths: ReadonlyMap<string, readonly number[]>;
}

/** A cue met in a prompt. */
interface Hit<T> {
  readonly cue: string;
  readonly at: number;
  readonly length: number;
  readonly values: readonly T[];
}

/**
 * Guesses what kind of prompt this is by weighing the cues of `classify-cues.ts`. Pure; the work is bounded, because of a text
 * of more than 6,000 characters only the first 4,000 and the last 2,000 are read.
 */
export function classify(text: string): Classification {
  const isCut = text.length > LIMITS.headCharsMax + LIMITS.tailCharsMax;
  return isCut ? classifyEnds(text) : weigh([...findsInWords(wordsOf(text)), ...structureFinds(text)]);
}

/** Where the text is cut, so may be a word: "important" would leave "import". The two words at the cut are left out. */
function classifyEnds(text: string): Classification {
  const head = text.slice(0, LIMITS.headCharsMax);
  const tail = text.slice(-LIMITS.tailCharsMax);
  const words = [...wordsOf(head).slice(0, -1), ...wordsOf(tail).slice(1)];
  return weigh([...findsInWords(words), ...structureFinds(`${head}\n${tail}`)]);
}

function findsInWords(words: readonly string[]): readonly Find[] {
  return [...productFinds(words), ...numberFinds(words), ...openerFinds(words), ...wordFinds(words)];
}

/** Whole words in lower case. Scripts written without spaces, or with endings glued on, are cut into single characters. */
const WORD =
  /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Hang}ー]|[[\p{L}\p{M}\p{N}_+#]--[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Hang}ー]]+/gv;

function wordsOf(text: string): readonly string[] {
  return text.normalize('NFC').toLowerCase().match(WORD) ?? [];
}

const WORD_CUES = makeLexicon(cuesOf(WORDS));
const OPENER_CUES = makeLexicon(cuesOf(OPENERS));
const PREAMBLE_CUES = makeLexicon([[PREAMBLES, true] as const]);
const MAKER_CUES = makeLexicon([[MAKERS, true] as const]);
const PRODUCT_CUES = makeLexicon(CATEGORIES.map((category) => [PRODUCTS[category], category] as const));
const COMPANY = makeLexicon(Object.entries(OTHER_SENSES).map(([word, company]) => [company, word] as const));

function cuesOf(classes: Readonly<Record<Category, Shelves>>): readonly (readonly [string, Cue])[] {
  return CATEGORIES.flatMap((category) =>
    Object.entries(classes[category]).map(([weight, list]) => [list, { category, weight: Number(weight) }] as const),
  );
}

function makeLexicon<T>(lists: readonly (readonly [list: string, value: T])[]): Lexicon<T> {
  const entries = new Map<string, T[]>();
  const lengths = new Map<string, number[]>();
  for (const [list, value] of lists) {
    for (const cue of list.split(',')) {
      const words = wordsOf(cue);
      const key = words.join(' ');
      const first = words[0] ?? '';
      entries.set(key, [...(entries.get(key) ?? []), value]);
      const known = lengths.get(first) ?? [];
      const longestFirst = [...new Set([...known, words.length])].sort((a, b) => b - a);
      lengths.set(first, longestFirst);
    }
  }
  return { entries, lengths };
}

/** The longest cue that starts at this word, or null. A plural is as good as the singular. */
function hitAt<T>(lexicon: Lexicon<T>, words: readonly string[], at: number): Hit<T> | null {
  const word = words[at] ?? '';
  for (const length of lexicon.lengths.get(word) ?? lexicon.lengths.get(singularOf(word)) ?? []) {
    if (at + length > words.length) continue;
    const phrase = length === 1 ? word : words.slice(at, at + length).join(' ');
    const cue = lexicon.entries.has(phrase) ? phrase : singularOf(phrase);
    const values = lexicon.entries.get(cue);
    if (values !== undefined) return { cue, at, length, values };
  }
  return null;
}

function singularOf(phrase: string): string {
  return phrase.endsWith('s') ? phrase.slice(0, -1) : phrase;
}

/** Every cue of the lexicon in these words, the longest first where several begin, never two over the same word. */
function hitsIn<T>(lexicon: Lexicon<T>, words: readonly string[]): readonly Hit<T>[] {
  const hits: Hit<T>[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const hit = hitAt(lexicon, words, at);
    if (hit === null) continue;
    hits.push(hit);
    at += hit.length - 1;
  }
  return hits;
}

function isInAsk(at: number, wordsTotal: number): boolean {
  return at < ASK.headWords || at >= wordsTotal - ASK.tailWords;
}

/** Each cue counts once, where it weighs most. A word with a second meaning does not count in the company that gives it that. */
function wordFinds(words: readonly string[]): readonly Find[] {
  const disarmed = new Set(hitsIn(COMPANY, words).flatMap((hit) => hit.values));
  const finds = new Map<string, Find>();
  for (const { cue, at, values } of hitsIn(WORD_CUES, words)) {
    if (disarmed.has(cue)) continue;
    const share = isInAsk(at, words.length) ? 1 : ASK.weightBetween;
    for (const { category, weight } of values) {
      const key = `${category} ${cue}`;
      const found = finds.get(key);
      if (found !== undefined && found.weight >= weight * share) continue;
      finds.set(key, { category, weight: weight * share, signal: `word:${cue}` });
    }
  }
  return [...finds.values()];
}

function openerFinds(words: readonly string[]): readonly Find[] {
  let at = 0;
  for (let skipped = hitAt(PREAMBLE_CUES, words, at); skipped !== null; skipped = hitAt(PREAMBLE_CUES, words, at)) {
    at += skipped.length;
  }
  const hit = hitAt(OPENER_CUES, words, at);
  return hit === null ? [] : hit.values.map((cue) => ({ ...cue, signal: `opening:${hit.cue}` }));
}

/** "Write a short story about a function": the first product named after the verb is what is asked for. */
function productFinds(words: readonly string[]): readonly Find[] {
  for (const maker of hitsIn(MAKER_CUES, words)) {
    if (!isInAsk(maker.at, words.length)) continue;
    const product = hitsIn(PRODUCT_CUES, words.slice(maker.at + 1, maker.at + 1 + PRODUCT_WORDS))[0];
    if (product === undefined) continue;
    return product.values.map((category) => ({ category, weight: PRODUCT_WEIGHT, signal: `asks for:${product.cue}` }));
  }
  return [];
}

function structureFinds(text: string): readonly Find[] {
  return STRUCTURES.filter(([, , , pattern]) => pattern.test(text)).map(([category, weight, name]) => ({
    category,
    weight,
    signal: `structure:${name}`,
  }));
}

const QUANTITY = /^(?!1[5-9]\d\d$|20\d\d$)\d{1,9}$|^(?:two|three|four|five|six|seven|eight|nine|ten|twelve|dozen)$/;

/** Several quantities in what is asked are a sum to be done; years are not quantities. */
function numberFinds(words: readonly string[]): readonly Find[] {
  const numbers = words.filter((word, at) => isInAsk(at, words.length) && QUANTITY.test(word)).length;
  if (numbers < 2) return [];
  return [{ category: 'analysis', weight: numbers < 4 ? 1.5 : 2.5, signal: 'structure:several numbers' }];
}

/** Sums the evidence; the class with the most wins, the earlier in CATEGORIES where two have as much. */
function weigh(finds: readonly Find[]): Classification {
  const scores = CATEGORIES.map((category) => {
    const found = finds.filter((find) => find.category === category).reduce((sum, find) => sum + find.weight, 0);
    return { category, score: found + (category === 'general' ? GENERAL_HEAD_START : 0) };
  });
  const best = scores.reduce((a, b) => (b.score > a.score ? b : a));
  const odds = scores.reduce((sum, { score }) => sum + Math.exp(SHARPNESS * (score - best.score)), 0);
  const signals = finds
    .filter((find) => find.category === best.category)
    .sort((a, b) => b.weight - a.weight)
    .slice(0, LIMITS.signalsMax)
    .map((find) => find.signal);
  return { category: best.category, confidence: 1 / odds, signals, classifier: CLASSIFIER };
}
