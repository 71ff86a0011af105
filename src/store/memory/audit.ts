import { pageOfSorted, parseSequence } from '../../core/page.ts';
import type { AuditEntry, AuditPort } from '../../ports/audit.ts';
import type { Actor } from '../../ports/operations.ts';
import { MEMORY_LIMITS, type MemoryState } from './state.ts';

/** The newest administrative acts of this process. */
export function makeMemoryAudit(state: MemoryState): AuditPort {
  return {
    async pageAudit(page) {
      return pageOfSorted(state.audit.toReversed(), page, {
        cursorOf: (entry) => String(entry.sequence),
        parseCursor: parseSequence,
        compare: (entry, sequence) => sequence - entry.sequence,
      });
    },
  };
}

/** Notes an administrative act. */
export function keepAudit(
  state: MemoryState,
  { name: actor, reason }: Actor,
  act: Pick<AuditEntry, 'act' | 'target' | 'detail'>,
): void {
  const sequence = (state.audit.at(-1)?.sequence ?? 0) + 1;
  state.audit.push({ sequence, atMs: state.now(), actor, reason, ...act });
  if (state.audit.length > MEMORY_LIMITS.auditEntriesMax) state.audit.shift();
}
