import type { BrokenPiece } from '../mutants.ts';
import type { Chance } from './chance.ts';
import type { PostgresServer } from './postgres.ts';
import type { Scratch } from './scratch.ts';

/** `quick` runs the same code smaller, in CI. */
export type Tier = 'quick' | 'full';

/** How large a run is: counts, and spans in milliseconds or seconds as the names say. */
export type Size = Readonly<Record<string, number>>;

/** What an experiment is given. */
export interface Context {
  readonly tier: Tier;
  /** Sizes to be used instead of the tier's. */
  readonly changedSizes: Size;
  readonly seed: number;
  /** Of this experiment alone, made from the seed and its number. */
  readonly chance: Chance;
  readonly scratch: Scratch;
  /** A server for everybody who does not stop it. */
  readonly sharedPostgres: () => Promise<PostgresServer>;
  /** A server of its own, for those who do. Gone with the experiment. */
  readonly ownPostgres: () => Promise<PostgresServer>;
  /** A function of the core to be replaced, by name. Null: none, as in production. */
  readonly coreMutant: string | null;
  /** What every replica of a scene loads otherwise than it is. Null: nothing, as in production. */
  readonly brokenPiece: BrokenPiece | null;
  /** A fault that no experiment looks for, such as a replica that crashes. */
  readonly mishap: (what: string) => void;
  /** Tells whoever waits how far it is. */
  readonly progress: (text: string) => void;
}

/** What came out. */
export interface Finding {
  /** The result in a line, with its numbers. */
  readonly figure: string;
  /** The same for machines. */
  readonly figures: Readonly<Record<string, number>>;
  /** What fell short, in sentences. Empty: it holds. */
  readonly faults: readonly string[];
}

/** Thrown when the machine had so much else to do that nothing can be said of us: not a pass, and worth another try. */
export class TooCrowded extends Error {}

/** One promise, put to the test. */
export interface Experiment {
  readonly number: number;
  readonly title: string;
  /** What it must yield, as docs/guarantees.md says it. */
  readonly mustYield: string;
  readonly sizes: Readonly<Record<Tier, Size>>;
  /** It claims a time, so nothing else may run beside it. */
  readonly isTimed: boolean;
  /** It takes longer than most, so it is begun before them where some run side by side. */
  readonly isLong: boolean;
  readonly run: (context: Context) => Promise<Finding>;
}

/** An experiment whose sizes are told to it by name. */
export function defineExperiment<S extends Size>(of: {
  readonly number: number;
  readonly title: string;
  readonly mustYield: string;
  readonly sizes: Readonly<Record<Tier, S>>;
  readonly isTimed?: boolean;
  readonly isLong?: boolean;
  readonly run: (context: Context, size: S) => Promise<Finding>;
}): Experiment {
  return {
    ...of,
    isTimed: of.isTimed ?? false,
    isLong: of.isLong ?? false,
    run: (context) => {
      const size = of.sizes[context.tier];
      const changed = Object.entries(context.changedSizes).filter(([name]) => name in size);
      return of.run(context, { ...size, ...Object.fromEntries(changed) });
    },
  };
}

/** Collects what falls short. */
export function makeFaults(): { readonly list: string[]; expect(isSo: boolean, otherwise: string): void } {
  const list: string[] = [];
  return {
    list,
    expect(isSo, otherwise) {
      if (!isSo) list.push(otherwise);
    },
  };
}
