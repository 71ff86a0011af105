import type { Plugin } from 'graphql-yoga';
import type { Documents } from '../graphql/documents.ts';

/** What a document may ask for, at every transport. */
export function rulesPlugin(documents: Documents): Plugin {
  return {
    onParse({ setParseFn }) {
      setParseFn((source: string) => documents.parse(source));
    },
    onValidate({ setValidationFn }) {
      setValidationFn((_schema, document) => documents.faultsOf(document));
    },
  };
}
