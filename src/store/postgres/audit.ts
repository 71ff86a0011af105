import { decodeFields, decodeInstant, decodeNullable, decodeNumber, decodeText } from '../../core/decode.ts';
import type { AuditEntry, AuditPort } from '../../ports/audit.ts';
import type { Connection } from './connection.ts';
import { fetchSequencePage } from './sequence-page.ts';

/** The audit log, on PostgreSQL: the functions of drizzle/ that do the acts write it. */
export function makePostgresAudit({ read }: Connection): AuditPort {
  return {
    pageAudit: (page) =>
      read((sql) =>
        fetchSequencePage(sql, page, {
          rows: sql`select id as sequence, switchyard.audit_json(a) as json from switchyard.audit a`,
          decode: decodeEntry,
        }),
      ),
  };
}

function decodeEntry(value: unknown): AuditEntry {
  const fields = decodeFields(value);
  return {
    sequence: decodeNumber(fields.sequence),
    atMs: decodeInstant(fields.atMs),
    actor: decodeText(fields.actor),
    act: decodeText(fields.act),
    target: decodeText(fields.target),
    reason: decodeNullable(fields.reason, decodeText),
    detail: fields.detail,
  };
}
