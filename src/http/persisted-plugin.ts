import type { Plugin } from 'graphql-yoga';
import { chooseText, type PersistedDocuments } from '../graphql/persisted-documents.ts';
import type { Operation } from './operation.ts';

/** Puts the document in for its id, and refuses those that are not known where only those are run. */
export function persistedPlugin(persisted: () => PersistedDocuments): Plugin<Operation, Operation> {
  return {
    onParams({ params, setParams, context }) {
      const chosen = chooseText(params, context.caller, persisted());
      switch (chosen.kind) {
        case 'text':
          setParams({ ...params, query: chosen.text });
          break;
        case 'refused':
          throw chosen.error;
        case 'nothing':
          // Yoga says so, in the words of the specification.
          break;
        default:
          chosen satisfies never;
      }
    },
  };
}
