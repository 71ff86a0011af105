import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A mechanism that is broken on purpose. An experiment that does not notice proves nothing. */
export interface Mutant {
  readonly name: string;
  /** What it breaks, in a sentence. */
  readonly breaks: string;
  /** Numbers of the experiments of which each must fail on it. */
  readonly caughtBy: readonly number[];
  readonly mutation: Mutation;
}

export type Mutation =
  /** Run on every database of the arena after its migration. Production never sees it. */
  | { readonly kind: 'sql'; readonly text: string }
  /** A function of `src/core` that the experiment replaces by one of its own. */
  | { readonly kind: 'core'; readonly name: 'no-epoch' }
  /** A piece of a file of `src` that replicas load otherwise than it is. */
  | { readonly kind: 'source'; readonly piece: BrokenPiece };

export interface BrokenPiece {
  /** From `src` on. */
  readonly file: string;
  /** As it stands there. */
  readonly whole: string;
  readonly broken: string;
}

const FOLDER = join(import.meta.dirname, 'mutants');

/** What no SQL can break. */
const OTHERS: readonly Mutant[] = [
  {
    name: 'no-epoch-in-core',
    breaks:
      "whoever reports is believed to speak of the breaker's present state: the same in the core, for the memory store.",
    caughtBy: [12],
    mutation: { kind: 'core', name: 'no-epoch' },
  },
  {
    name: 'uncounted-drops',
    breaks: 'of all that a slow watcher misses in a row, only the last event is counted.',
    caughtBy: [17],
    mutation: {
      kind: 'source',
      piece: {
        file: 'gateway/outbox.ts',
        whole: '(entries.shift()?.dropped ?? 0) + 1',
        broken: 'entries.shift() && 1',
      },
    },
  },
  {
    name: 'any-user',
    breaks: 'whoever watches the requests of one user is told those of all.',
    caughtBy: [18],
    mutation: {
      kind: 'source',
      piece: { file: 'core/request-filter.ts', whole: 'userId === null || record.userId === userId', broken: 'true' },
    },
  },
];

/** All of them: each file of `arena/mutants` says at its head what it breaks and who must notice. */
export async function readMutants(): Promise<readonly Mutant[]> {
  const files = (await readdir(FOLDER)).filter((file) => file.endsWith('.sql')).toSorted();
  const texts = await Promise.all(files.map((file) => readFile(join(FOLDER, file), 'utf8')));
  return [...files.map((file, place) => parseMutant(file, texts[place] ?? '')), ...OTHERS];
}

export function parseMutant(file: string, text: string): Mutant {
  const [, breaks, caughtBy] = /^-- Breaks: (.+)\n-- Caught by: (\d+(?:, \d+)*)\n/.exec(text) ?? [];
  if (breaks === undefined || caughtBy === undefined) {
    throw new Error(`${file} must begin with two lines, "-- Breaks: ..." and "-- Caught by: 1, 2"`);
  }
  return {
    name: file.replace(/\.sql$/, ''),
    breaks,
    caughtBy: caughtBy.split(', ').map(Number),
    mutation: { kind: 'sql', text },
  };
}
