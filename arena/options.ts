import { parseArgs } from 'node:util';

/** What `npm run arena` was asked to do. */
export type Options =
  | { readonly kind: 'help' }
  | { readonly kind: 'list' }
  /** Figures of an earlier run go into docs/guarantees.md. */
  | { readonly kind: 'publish'; readonly path: string }
  | {
      readonly kind: 'run';
      readonly tier: 'quick' | 'full';
      /** Numbers of experiments. Null: all. */
      readonly only: readonly number[] | null;
      readonly seed: number;
      readonly isMutants: boolean;
      /** Sizes to be used instead of the tier's, such as kills: 3. */
      readonly sizes: Readonly<Record<string, number>>;
      /** Leaves the folder of the run for whoever looks into a failure. */
      readonly isKept: boolean;
      /** Where the figures go for machines. Null: nowhere. */
      readonly jsonPath: string | null;
    }
  | { readonly kind: 'wrong'; readonly message: string };

export const USAGE = `Usage: npm run arena [-- OPTIONS]

Puts the promises of docs/guarantees.md to the test: a real PostgreSQL 18, replicas as processes, upstreams that bill on
receipt, and faults. One line per experiment; exit code 1 when one falls short or could not run.

  (none)        the quick tier, at most 3 minutes
  --full        the sizes that docs/guarantees.md states
  --only N,M    these experiments alone
  --set NAME=N  another size than the tier's, such as kills=3; for trying out, as --list names them
  --seed S      repeats the choices of an earlier run; a whole number
  --mutants     breaks each mechanism on purpose: its experiment must fail, or the command does
  --json FILE   also writes the figures for machines
  --publish FILE  writes the figures of an earlier --full --json FILE into docs/guarantees.md, and runs nothing
  --keep        leaves the run's folder, with bills, client logs and the replicas' logs, and says where it is
  --list        what there is
  --help        this text`;

const SEED_MAX = 4_294_967_295;

export function parseOptions(words: readonly string[], known: readonly number[]): Options {
  try {
    return read(words, known);
  } catch (error) {
    // parseArgs names the word that it does not know.
    return { kind: 'wrong', message: error instanceof Error ? error.message : String(error) };
  }
}

function read(words: readonly string[], known: readonly number[]): Options {
  const { values } = parseArgs({
    args: [...words],
    options: {
      full: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true },
      seed: { type: 'string' },
      set: { type: 'string', multiple: true },
      mutants: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      json: { type: 'string' },
      publish: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return { kind: 'help' };
  if (values.list) return { kind: 'list' };
  if (values.publish !== undefined) return { kind: 'publish', path: values.publish };
  const only = values.only?.flatMap((list) => list.split(',')).map(Number) ?? null;
  const stranger = only?.find((number) => !known.includes(number));
  if (stranger !== undefined) {
    return { kind: 'wrong', message: `--only takes numbers of experiments: ${known.join(', ')}` };
  }
  const seed = values.seed === undefined ? Math.floor(Math.random() * SEED_MAX) : Number(values.seed);
  if (!Number.isInteger(seed) || seed < 0 || seed > SEED_MAX) {
    return { kind: 'wrong', message: `--seed takes a whole number from 0 to ${SEED_MAX}` };
  }
  const sizes = (values.set ?? []).map((pair) => /^(\w+)=(\d+(?:\.\d+)?)$/.exec(pair));
  if (sizes.includes(null)) return { kind: 'wrong', message: '--set takes a name and a number, such as kills=3' };
  return {
    kind: 'run',
    tier: values.full ? 'full' : 'quick',
    only,
    seed,
    isMutants: values.mutants,
    sizes: Object.fromEntries(sizes.map((pair) => [pair?.[1] ?? '', Number(pair?.[2])])),
    isKept: values.keep,
    jsonPath: values.json ?? null,
  };
}
