import { expect, test } from '@jest/globals';
import { createMetrics } from '../../engine/telemetry/metrics.ts';
import { createNoteGate } from '../../worker/gate-notices.ts';

test('a refused key and a changed circuit are logged, and counted with what they are about', async () => {
  const logged: object[] = [];
  const metrics = createMetrics();
  const note = createNoteGate({ warn: (facts) => logged.push(facts) }, metrics);
  note({ what: 'key-refused', provider: 'openai', keyId: 'OPENAI_API_KEY#a1b2c3' });
  note({ what: 'circuit-opened', provider: 'openai', model: 'gpt-4o-mini' });
  expect(logged).toEqual([
    { what: 'key-refused', provider: 'openai', keyId: 'OPENAI_API_KEY#a1b2c3' },
    { what: 'circuit-opened', provider: 'openai', model: 'gpt-4o-mini' },
  ]);
  const shown = await metrics.registry.metrics();
  expect(shown).toContain('unbroken_keys_refused_total{provider="openai",key="OPENAI_API_KEY#a1b2c3"} 1');
  expect(shown).toContain(
    'unbroken_circuit_changes_total{provider="openai",model="gpt-4o-mini",change="circuit-opened"} 1',
  );
});
