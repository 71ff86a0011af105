/** Kinds of prompts, in the order in which ties are broken. */
export const CATEGORIES = ['code', 'writing', 'analysis', 'general'] as const;

export type Category = (typeof CATEGORIES)[number];

/** What kind of prompt a request was taken for, and what spoke for it. */
export interface Classification {
  readonly category: Category;
  /** 0 to 1. */
  readonly confidence: number;
  /** The features that were found, for a person, such as `word:refactor` or `structure:fenced code`. */
  readonly signals: readonly string[];
  /** Name and version of the classifier. */
  readonly classifier: string;
}
