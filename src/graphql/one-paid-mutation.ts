import { type ASTVisitor, OperationTypeNode, type ValidationContext } from 'graphql';
import { documentError } from './door-error.ts';
import { paidNamesOf } from './paid-fields.ts';

/**
 * A validation rule: one operation spends money at most once, so that the request id names one chat and nobody buys two hundred
 * answers with one document. Counted by the names under which answers come back, which is how often a field really runs.
 */
export function OnePaidMutation(context: ValidationContext): ASTVisitor {
  return {
    OperationDefinition(operation) {
      const mutations = context.getSchema().getMutationType();
      if (operation.operation !== OperationTypeNode.MUTATION || mutations === null || mutations === undefined) return;
      const paid = paidNamesOf(operation, mutations, (name) => context.getFragment(name));
      if (paid.size <= 1) return;
      const message = `One operation may hold one paid mutation, this one holds ${paid.size}. Send one per request.`;
      context.reportError(documentError('TOO_MANY_PAID_MUTATIONS', message, operation));
    },
  };
}
