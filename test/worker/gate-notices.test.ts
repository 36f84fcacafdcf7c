import { expect, test } from '@jest/globals';
import { type MetricMeter, noopMetricMeter } from '@temporalio/common';
import { createNoteGate } from '../../worker/gate-notices.ts';

test('a refused key and a changed circuit are logged, and counted with what they are about', () => {
  const logged: object[] = [];
  const counted: unknown[] = [];
  const meter: MetricMeter = Object.assign(Object.create(noopMetricMeter), {
    createCounter: (name: string) => ({
      ...noopMetricMeter.createCounter(name),
      add: (value: number, tags?: object) => counted.push([name, value, tags]),
    }),
  });
  const note = createNoteGate({ warn: (facts) => logged.push(facts) }, meter);
  note({ what: 'key-refused', provider: 'openai', keyId: 'OPENAI_API_KEY#a1b2c3' });
  note({ what: 'circuit-opened', provider: 'openai', model: 'gpt-4o-mini' });
  expect(logged).toEqual([
    { what: 'key-refused', provider: 'openai', keyId: 'OPENAI_API_KEY#a1b2c3' },
    { what: 'circuit-opened', provider: 'openai', model: 'gpt-4o-mini' },
  ]);
  expect(counted).toEqual([
    ['unbroken_keys_refused', 1, { provider: 'openai', key: 'OPENAI_API_KEY#a1b2c3' }],
    ['unbroken_circuit_changes', 1, { provider: 'openai', model: 'gpt-4o-mini', change: 'circuit-opened' }],
  ]);
});
