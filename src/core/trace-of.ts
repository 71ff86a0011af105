/** What a log line says of the trace that it belongs to: nothing when there is none. The names are those of OpenTelemetry. */
export function traceOf(span: {
  readonly traceId: string | null;
  readonly spanId: string | null;
}): Readonly<Record<string, string>> {
  const { traceId, spanId } = span;
  return traceId === null || spanId === null ? {} : { trace_id: traceId, span_id: spanId };
}
