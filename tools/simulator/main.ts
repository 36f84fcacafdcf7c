/** The simulated provider as a process. `--port N --host H --journal FILE`; prints one JSON line when it listens. */
import { parseArgs } from 'node:util';
import { createSimulatedProvider } from './create-simulated-provider.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    host: { type: 'string', default: '127.0.0.1' },
    journal: { type: 'string' },
  },
});
const provider = await createSimulatedProvider({ ...values, port: Number(values.port) });
process.stdout.write(`${JSON.stringify({ ready: true, url: provider.url })}\n`);
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, async () => {
    await provider.stop();
    process.exit(0);
  });
}
