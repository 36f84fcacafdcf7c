/** Reports what operators should know of the providers, as log lines and as counters. */
import type { GateNotice } from '../engine/routing/provider-gate.ts';
import type { Metrics } from '../engine/telemetry/metrics.ts';

interface NoticeLogger {
  warn(facts: object, text: string): void;
}

const TEXTS: Readonly<Record<GateNotice['what'], string>> = {
  'circuit-opened': 'circuit opened: the model fails too often and is not called for some seconds',
  'circuit-closed': 'circuit closed: the model answers again',
  'key-refused': 'a provider refused its key: the key is not used for some minutes',
};

export function createNoteGate(logger: NoticeLogger, metrics: Metrics | null): (notice: GateNotice) => void {
  const circuits = metrics?.counter('unbroken_circuit_changes_total', 'Circuits that opened or closed', [
    'provider',
    'model',
    'change',
  ]);
  const refusals = metrics?.counter('unbroken_keys_refused_total', 'Keys that a provider refused', [
    'provider',
    'key',
  ]);
  return (notice) => {
    logger.warn({ ...notice }, TEXTS[notice.what]);
    const { provider, what } = notice;
    if (notice.what === 'key-refused') refusals?.inc({ provider, key: notice.keyId });
    else circuits?.inc({ provider, model: metrics?.bounded(notice.model) ?? '', change: what });
  };
}
