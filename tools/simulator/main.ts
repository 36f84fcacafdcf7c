/**
 * The simulated provider as a process. `--port N --host H --journal FILE --batches FILE --batch-ms N`; prints one JSON
 * line when it listens.
 */
import { parseArgs } from 'node:util';
import { createSimulatedProvider } from './create-simulated-provider.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    host: { type: 'string', default: '127.0.0.1' },
    journal: { type: 'string' },
    batches: { type: 'string' },
    'batch-ms': { type: 'string', default: '0' },
  },
});
const provider = await createSimulatedProvider({
  host: values.host,
  port: Number(values.port),
  journal: values.journal,
  batches: { path: values.batches, runMs: Number(values['batch-ms']) },
});
process.stdout.write(`${JSON.stringify({ ready: true, url: provider.url })}\n`);
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, async () => {
    await provider.stop();
    process.exit(0);
  });
}
