/** The worker process. Prints one JSON line on stdout when it polls; ends on SIGTERM after handing over. */
import { DefaultLogger, Runtime } from '@temporalio/worker';
import pino from 'pino';
import { loadConfig } from '../config/load-config.ts';
import { createWorker } from './create-worker.ts';

const config = loadConfig();
const logger = pino({ level: config.logLevel }, pino.destination(2));
Runtime.install({
  logger: new DefaultLogger('WARN', ({ level, message, meta }) => logger.warn({ level, ...meta }, message)),
  shutdownSignals: [],
});
const worker = await createWorker(config, logger);
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => worker.shutdown());
const running = worker.run();
process.stdout.write(`${JSON.stringify({ ready: true, pid: process.pid })}\n`);
await running;
process.exit(0);
