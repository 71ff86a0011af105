import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CATEGORIES, type Category } from '../../src/core/category.ts';
import { classify } from '../../src/core/classify.ts';
import { STRUCTURES } from '../../src/core/classify-cues.ts';

const RUNS = { numRuns: 2_000 };

/** Any sequence of UTF-16 units, halves of surrogate pairs included. */
const anyText = fc.oneof(
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
  fc.string({ unit: 'binary' }),
);

/** Texts that meet many cues at once: what a random string almost never does. */
const cueText = fc
  .array(
    fc.constantFrom(
      'write',
      'a',
      'function',
      'story',
      'class',
      'school',
      '```',
      '\n',
      'compare',
      '3 + 4',
      '?',
      'who',
      '写',
      'SELECT',
    ),
    { maxLength: 60 },
  )
  .map((words) => words.join(' '));

describe('words that merely contain a keyword', () => {
  test('words that merely contain a code keyword are not code', () => {
    // The seed searched for substrings: "def" in definition and redefine, "import" in important, "class" in classic.
    const words = [
      'definition',
      'important',
      'classic',
      'redefine',
      'unclassified',
      'exceptional',
      'importance',
      'default',
    ];
    for (const word of words) expect(classify(word).category, word).not.toBe('code');
    expect(classify('What is the definition of an important classic?').category).not.toBe('code');
    expect(classify('It is of exceptional importance to redefine our defaults').category).not.toBe('code');
  });

  test('words that merely contain a writing keyword are not writing', () => {
    for (const word of ['essayist', 'history', 'particle', 'composed', 'draftsman', 'storyboards']) {
      expect(classify(word).category, word).not.toBe('writing');
    }
  });

  test('a word cut in two at the end of what is read is not taken for a shorter word', () => {
    const cutAt4000 = `${'x'.repeat(3_993)} important ${'y '.repeat(5_000)}`;
    expect(cutAt4000.slice(0, 4_000).endsWith(' import')).toBe(true);
    expect(classify(cutAt4000).signals).not.toContain('word:import');
  });
});

describe("the seed's keywords", () => {
  const keywords: Readonly<Record<'code' | 'writing', readonly string[]>> = {
    code: ['def', 'class', 'import', 'exception', 'function', 'variable', 'loop', 'algorithm', 'debug'],
    writing: ['essay', 'blog', 'email', 'summarize', 'article', 'letter', 'story', 'draft', 'compose'],
  };

  test.each(Object.entries(keywords))('still mean %s as whole words, in any case and as plurals', (category, words) => {
    for (const word of words) {
      expect(classify(word).category, word).toBe(category);
      expect(classify(`${word.toUpperCase()}!`).category, word).toBe(category);
    }
    expect(classify('stories and essays').category).toBe('writing');
    expect(classify('functions and loops').category).toBe('code');
  });

  test('are not code in a sense that has nothing to do with code', () => {
    const prompts = [
      'My class at school is going to the zoo, what should I pack?',
      'Is a first class ticket worth the money on a night train?',
      'Are there import duties on books sent from Japan to Canada?',
      'Is there an exception to the rule about socks and sandals?',
      'Which hiking trail is the nicest loop trail near Innsbruck?',
    ];
    for (const prompt of prompts) expect(classify(prompt).category, prompt).not.toBe('code');
  });

  test('do not outweigh what is really asked for', () => {
    expect(classify('Write a story about a function that dreams of being a class').category).toBe('writing');
    expect(classify('Write a function that splits a story into letters').category).toBe('code');
  });
});

test('to summarize is writing, but with a long text to be read it is analysis', () => {
  const report = 'The bridge was closed in May because two of its bearings had moved. '.repeat(12);
  expect(classify('Summarize this article').category).toBe('writing');
  expect(classify(`Summarize the following report.\n\n${report}`).category).toBe('analysis');
});

describe('prompts of each class', () => {
  const PROMPTS: readonly (readonly [expected: Category, prompt: string])[] = [
    ['code', 'Why does my for loop skip every second item when I delete from the list?'],
    ['code', 'def moving_mean(xs: list[float], width: int) -> list[float]:\n    """Mean of each window."""\n'],
    ['code', 'Show the ten biggest files below /var/log, biggest first'],
    ['code', "TypeError: cannot read properties of undefined (reading 'map')\n    at Cart (src/cart.tsx:14:20)"],
    ['code', 'int fac(int n) {\n  return n <= 1 ? 1 : n * fac(n - 1);\n}\nHow do I make it faster?'],
    ['code', 'SELECT name FROM guests WHERE room IS NULL — why is this slow?'],
    ['code', 'Please refactor this:\n```\nif (a) { b() } else { b() }\n```'],
    ['code', 'Warum bekomme ich in Java eine NullPointerException, wenn ich die Liste durchlaufe?'],
    ['code', 'Comment fusionner deux dictionnaires en Python ?'],
    ['code', 'Escribe una consulta SQL que muestre los clientes sin pedidos.'],
    ['code', 'Crie uma função que receba uma lista e devolva os números pares.'],
    ['code', 'Напиши функцию на Python, которая считает гласные в строке.'],
    ['code', '写一个函数,判断字符串是否为回文。'],
    ['code', '配列の中から最大値を返す関数を書いてください。'],
    ['writing', 'Compose a farewell speech for a colleague who retires after forty years in the library.'],
    ['writing', 'A short, scary bedtime story about a wardrobe, please.'],
    ['writing', 'Could you polish this paragraph so that it reads less stiffly?\n\nThe committee hereby notes it.'],
    ['writing', 'You are Cleopatra. Welcome a Roman envoy whom you do not trust.'],
    ['writing', 'Verfasse eine höfliche E-Mail an meinen Vermieter wegen der kaputten Heizung.'],
    ['writing', 'Écris un discours pour le mariage de mon frère.'],
    ['writing', 'Redacta un correo para pedir vacaciones a mi jefa.'],
    ['writing', "Scrivi una poesia sul mare d'inverno."],
    ['writing', 'Напиши письмо бабушке от имени кота.'],
    ['writing', '帮我写一封给房东的邮件,说明暖气坏了。'],
    ['writing', '봄에 대한 짧은 시를 써 주세요.'],
    ['analysis', 'A tap fills a tub in 12 minutes and a second tap in 18. How long do they take together?'],
    ['analysis', 'Evaluate the arguments for and against a four-day week and say which are strongest.'],
    ['analysis', 'Show that $n^3 - n$ is divisible by 6 for every integer n.'],
    ['analysis', 'month,revenue\nJan,120\nFeb,135\nMar,90\nWhat trend do you see, and what could explain March?'],
    ['analysis', 'Extract every date and amount from the invoice below.'],
    ['analysis', 'Vergleiche die Vor- und Nachteile von Miete und Kauf für eine junge Familie.'],
    ['analysis', 'Résous le système : x + y = 7 et x - y = 1.'],
    ['analysis', 'Analiza las causas principales de la inflación en los años setenta.'],
    ['analysis', '分析一下远程办公对小公司的影响。'],
    ['general', 'Who designed the Sydney Opera House?'],
    ['general', 'How do I keep basil alive on a windowsill?'],
    ['general', 'good morning!'],
    ['general', 'Welcher Fluss fließt durch Prag?'],
    ['general', 'Pourquoi le ciel est-il bleu ?'],
    ['general', '¿Quién pintó Las Meninas?'],
    ['general', '为什么海水是咸的?'],
  ];

  test.each(PROMPTS)('%s: %s', (expected, prompt) => {
    expect(classify(prompt)).toMatchObject({ category: expected, classifier: 'cues-1' });
  });
});

describe('what the answer says', () => {
  test('names the strongest cues first', () => {
    const { signals } = classify('Please refactor this:\n```\nsort(xs)\n```');
    expect(signals.slice(0, 2)).toEqual(['word:refactor', 'structure:fenced code']);
  });

  test('where nothing is found, the class is general and the confidence low', () => {
    for (const text of ['', ' \n\t', 'zzz', '🙂', '\ud800']) {
      expect(classify(text)).toEqual({
        category: 'general',
        confidence: expect.any(Number),
        signals: [],
        classifier: 'cues-1',
      });
      expect(classify(text).confidence).toBeLessThan(0.4);
    }
  });

  test('more evidence makes the answer surer', () => {
    const hint = classify('a table').confidence;
    const plain = classify('a table in a SQL database').confidence;
    expect(plain).toBeGreaterThan(hint);
  });
});

describe('the work is bounded', () => {
  test('of a long text only the beginning and the end are read', () => {
    const head = 'Write a poem about rain. '.repeat(160);
    const tail = ' The end is near.'.repeat(120);
    const short = classify(`${head}${'m'.repeat(1_000)}${tail}`);
    const long = classify(`${head}${'```def python```\n'.repeat(60_000)}${tail}`);
    expect(head.length).toBe(4_000);
    expect(long).toEqual(short);
  });

  test('no pattern repeats without a bound or remembers where it was', () => {
    for (const [, , name, pattern] of STRUCTURES) {
      const bare = pattern.source.replaceAll(/\\./g, '').replaceAll(/\[[^\]]*\]/g, '');
      expect(bare, name).not.toMatch(/[*+]|\{\d+,\}/);
      expect(pattern.global || pattern.sticky, name).toBe(false);
    }
  });

  test.each([
    'a',
    'a ',
    '<a ',
    '(',
    '((a',
    '`',
    '$a',
    '|',
    '|a\n',
    ';\n',
    'SELECT ',
    'import ',
    'def a',
    '. ?',
    'please ',
    '写',
    '\u0301',
  ])('200,000 times %j is answered', (piece) => {
    expect(CATEGORIES).toContain(classify(piece.repeat(200_000)).category);
  });
});

describe('laws', () => {
  test('every text has an answer: a known class, a confidence from 0 to 1, at most 8 signals, all different', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, cueText), (text) => {
        const { category, confidence, signals } = classify(text);
        expect(CATEGORIES).toContain(category);
        expect(confidence).toBeGreaterThan(0);
        expect(confidence).toBeLessThanOrEqual(1);
        expect(signals.length).toBeLessThanOrEqual(8);
        expect(new Set(signals).size).toBe(signals.length);
      }),
      RUNS,
    );
  });

  test('the same text always has the same answer, whatever was asked between', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, cueText), cueText, (text, other) => {
        const first = classify(text);
        classify(other);
        expect(classify(text)).toEqual(first);
      }),
      RUNS,
    );
  });

  test('the words count whether they are written in capitals or not', () => {
    fc.assert(
      fc.property(fc.constantFrom('essay', 'algorithm', 'compare', 'recipe'), fc.nat({ max: 7 }), (word, at) => {
        const mixed = word.slice(0, at).toUpperCase() + word.slice(at);
        expect(classify(mixed)).toEqual(classify(word));
      }),
      RUNS,
    );
  });
});
