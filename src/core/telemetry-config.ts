/** Where telemetry is sent, by the variables that all of OpenTelemetry's programs know. */
export interface TelemetryConfig {
  /** What every span and every figure says of this process, `service.name` among it. */
  readonly resource: Readonly<Record<string, string>>;
  /** Sent with every export. They may hold a secret: do not log them. */
  readonly headers: Readonly<Record<string, string>>;
  /** Null: traces go nowhere. */
  readonly traces: { readonly url: string; readonly sampler: SamplerName; readonly ratio: number } | null;
  /** Null: figures are only shown at `/metrics`. */
  readonly metrics: { readonly url: string; readonly everyMs: number } | null;
}

export const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

export type SamplerName = (typeof SAMPLERS)[number];
