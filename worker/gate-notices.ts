/** What people should know of the providers, as log lines and as counters of Temporal's metrics endpoint. */
import type { MetricMeter } from '@temporalio/common';
import type { GateNotice } from '../routing/provider-gate.ts';

/** What it needs of a logger. */
export interface NoticeLogger {
  warn(facts: object, text: string): void;
}

const TEXTS: Readonly<Record<GateNotice['what'], string>> = {
  'circuit-opened': 'circuit opened: the model fails too often and is left alone for some seconds',
  'circuit-closed': 'circuit closed: the model answers again',
  'key-refused': 'a provider refused its key: it is put aside for some minutes',
};

export function createNoteGate(logger: NoticeLogger, meter: MetricMeter): (notice: GateNotice) => void {
  const circuits = meter.createCounter('unbroken_circuit_changes', 'count', 'Circuits that opened or closed');
  const refusals = meter.createCounter('unbroken_keys_refused', 'count', 'Keys that a provider refused');
  return (notice) => {
    logger.warn({ ...notice }, TEXTS[notice.what]);
    const { provider, what } = notice;
    if (notice.what === 'key-refused') refusals.add(1, { provider, key: notice.keyId });
    else circuits.add(1, { provider, model: notice.model, change: what });
  };
}
