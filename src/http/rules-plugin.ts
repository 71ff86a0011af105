import { parse } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { DepthLimit, DOCUMENT_LIMITS } from '../graphql/depth-limit.ts';
import { OnePaidMutation } from '../graphql/one-paid-mutation.ts';

/** What a document may ask for, at every transport. */
export function rulesPlugin(): Plugin {
  return {
    onParse({ setParseFn }) {
      setParseFn((source: string) => parse(source, { maxTokens: DOCUMENT_LIMITS.tokensMax }));
    },
    onValidate({ addValidationRule }) {
      addValidationRule(OnePaidMutation);
      addValidationRule(DepthLimit);
    },
  };
}
