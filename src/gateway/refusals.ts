import type { InputIssue, Refusal } from '../core/outcome.ts';

/** What was asked cannot be done as it was said: every problem, not only the first. */
export interface InvalidInput extends Refusal {
  readonly kind: 'invalidInput';
  readonly issues: readonly InputIssue[];
}

export interface NotFound extends Refusal {
  readonly kind: 'notFound';
}

export interface FeatureDisabled extends Refusal {
  readonly kind: 'featureDisabled';
}
