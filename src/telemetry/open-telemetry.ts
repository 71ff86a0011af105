import type { Traces } from '../ports/traces.ts';
import { NO_TRACES } from './no-traces.ts';
import type { TelemetryNeeds } from './telemetry-needs.ts';

/** Sends traces and figures where the operator wants them. Who wants none does not load what sends them. */
export async function openTelemetry(needs: TelemetryNeeds): Promise<Traces> {
  const { traces, metrics } = needs.targets;
  if (traces === null && metrics === null) return NO_TRACES;
  const { startExport } = await import('./otlp-export.ts');
  return startExport(needs);
}
