import type { Log } from '../ports/log.ts';

/** Told how each export ended. */
export type ExportWatch = (error: Error | null) => void;

/** Says once that a collector is not reached, and once that it is again. */
export function makeExportWatch(log: Log, signal: 'traces' | 'metrics'): ExportWatch {
  let isAway = false;
  return (error) => {
    if (error !== null && !isAway) {
      log.warn('telemetry does not reach its collector', { signal, reason: error.message });
    }
    if (error === null && isAway) log.info('telemetry reaches its collector again', { signal });
    isAway = error !== null;
  };
}
