/**
 * The worker process. Prints one JSON line on stdout when it polls. On SIGTERM it leaves its streams to other workers.
 */
import { flushCompileCache } from 'node:module';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { createLogger } from '../engine/telemetry/create-logger.ts';
import { logTraceFailures, startTracing } from '../engine/telemetry/tracing.ts';
import { loadConfig } from '../platform/config/load-config.ts';
import { leaveWhileStarting } from '../platform/leave-while-starting.ts';
import { createWorker } from './create-worker.ts';
import { temporalMetrics } from './temporal-metrics.ts';

const leaveAtOnce = leaveWhileStarting();
const config = loadConfig();
const tracing = await startTracing('unbroken-worker', config.telemetry.traces);
const logger = createLogger(config.logLevel, tracing);
logTraceFailures(tracing, logger);
const { telemetryOptions, url: temporalMetricsUrl } = await temporalMetrics(config.telemetry.metricsPort);
Runtime.install({
  logger: new DefaultLogger('WARN', ({ level, message, meta }) =>
    logger[level === 'ERROR' ? 'error' : 'warn'](sdkFacts(meta), message),
  ),
  shutdownSignals: [],
  telemetryOptions,
});
const worker = await createWorker(config, { logger, tracing, temporalMetricsUrl });
leaveAtOnce.end();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => worker.shutdown());
const running = worker.run();
const { metricsUrl } = worker;
process.stdout.write(`${JSON.stringify({ ready: true, pid: process.pid, metricsUrl })}\n`);
// Now, not at its exit: the start after a kill should be the quick one.
flushCompileCache();
await running;
await tracing?.stop();
process.exit(0);

/** Adds the generation's id, which is the last part of the workflow's. */
function sdkFacts(meta: Readonly<Record<string, unknown>> = {}): object {
  const { workflowId } = meta;
  return typeof workflowId === 'string' ? { ...meta, generationId: workflowId.split('/').at(-1) } : meta;
}
