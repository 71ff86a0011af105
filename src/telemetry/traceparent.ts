const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

export interface RemoteSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly isSampled: boolean;
}

/** Reads the header by which callers name the trace that a request belongs to (W3C Trace Context). Null: none, or none that is valid. */
export function parseTraceparent(text: string | undefined): RemoteSpan | null {
  const [, version = '', traceId = '', spanId = '', flags = '', rest] = FORM.exec(text ?? '') ?? [];
  const isKnown = version === '00' ? rest === undefined : version !== '' && version !== 'ff';
  if (!isKnown || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}
