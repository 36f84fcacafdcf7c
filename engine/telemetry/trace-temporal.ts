/** Carries a trace through Temporal, in the headers of a run and its activities, by Temporal's own interceptors. */
import { createRequire } from 'node:module';
import type { WorkflowClientInterceptor } from '@temporalio/client';
import type { WorkerOptions } from '@temporalio/worker';
import type { Tracing } from './tracing.ts';

/** The modules that the bundle of workflows needs for traces; none while tracing is off. */
export function workflowInterceptorModules(isTraced: boolean): string[] {
  const path = '@temporalio/interceptors-opentelemetry/lib/workflow-interceptors';
  return isTraced ? [createRequire(import.meta.url).resolve(path)] : [];
}

export async function clientInterceptors(
  tracing: Tracing | null,
): Promise<{ interceptors?: { workflow: WorkflowClientInterceptor[] } }> {
  if (tracing === null) return {};
  const { OpenTelemetryWorkflowClientInterceptor } = await import('@temporalio/interceptors-opentelemetry');
  return { interceptors: { workflow: [new OpenTelemetryWorkflowClientInterceptor(tracing)] } };
}

export async function workerInterceptors(
  tracing: Tracing | null,
): Promise<Pick<WorkerOptions, 'interceptors' | 'sinks'>> {
  if (tracing === null) return {};
  const {
    OpenTelemetryActivityInboundInterceptor,
    OpenTelemetryActivityOutboundInterceptor,
    makeWorkflowExporter,
  } = await import('@temporalio/interceptors-opentelemetry');
  return {
    interceptors: {
      activity: [
        (activity) => ({
          inbound: new OpenTelemetryActivityInboundInterceptor(activity, tracing),
          outbound: new OpenTelemetryActivityOutboundInterceptor(activity),
        }),
      ],
    },
    sinks: { exporter: makeWorkflowExporter(tracing.processor, tracing.resource) },
  };
}
