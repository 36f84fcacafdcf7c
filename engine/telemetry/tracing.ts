/**
 * Traces from the HTTP request through workflow and activities to the provider call, sent by OTLP. While tracing is
 * off, OpenTelemetry's SDK is not loaded. The context travels in Temporal's headers.
 *
 * The SDK is OpenTelemetry 1.x, because Temporal's interceptors are written for that version.
 */
import {
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { SpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { RequestHandler } from 'express';
import type { TraceSettings } from '../../platform/config/telemetry-environment.ts';
import { routeOf } from './measure-requests.ts';

export interface Tracing {
  readonly tracer: Tracer;
  readonly settings: TraceSettings;
  /** Receives the spans of workflows. */
  readonly processor: SpanProcessor;
  readonly resource: Resource;
  /** Reports that traces could not be sent. OpenTelemetry itself says nothing of it. */
  onFailure(report: (reason: unknown) => void): void;
  /** Sends the remaining spans. Never throws, and ends within the time limit of an export. */
  stop(): Promise<void>;
}

/** @param process the name of the service if the environment has none. */
export async function startTracing(
  process: 'unbroken-api' | 'unbroken-worker',
  settings: TraceSettings | null,
): Promise<Tracing | null> {
  if (settings === null) return null;
  const [sdk, otlp, resources, hooks, core] = await Promise.all([
    import('@opentelemetry/sdk-trace-base'),
    import('@opentelemetry/exporter-trace-otlp-proto'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/context-async-hooks'),
    import('@opentelemetry/core'),
  ]);
  const resource = resources.Resource.default().merge(
    new resources.Resource({ 'service.name': settings.serviceName ?? process }),
  );
  const processor = new sdk.BatchSpanProcessor(new otlp.OTLPTraceExporter({ url: settings.url }));
  const provider = new sdk.BasicTracerProvider({ resource, spanProcessors: [processor] });
  provider.register({
    contextManager: new hooks.AsyncLocalStorageContextManager().enable(),
    propagator: new core.W3CTraceContextPropagator(),
  });
  return {
    tracer: provider.getTracer('unbroken'),
    settings,
    processor,
    resource,
    onFailure: (report) => core.setGlobalErrorHandler(report),
    // An unreachable collector must not delay the end of a process.
    stop: () => provider.shutdown().catch(() => undefined),
  };
}

/** A collector that is down fails every export: the log has it once in this time. */
const REPORT_MS = 10 * 60_000;

export function logTraceFailures(
  tracing: Tracing | null,
  logger: { warn(facts: object, message: string): void },
): void {
  if (tracing === null) return;
  const { host } = new URL(tracing.settings.url);
  let reportedAt = Number.NEGATIVE_INFINITY;
  tracing.onFailure((reason) => {
    if (performance.now() - reportedAt < REPORT_MS) return;
    reportedAt = performance.now();
    logger.warn(
      { reason: String(Object(reason).message) },
      `traces cannot be sent to ${host}: it must take OTLP over HTTP, usually at port 4318 (4317 is for gRPC)`,
    );
  });
}

/** The trace of a log line. */
export function traceFields(): { trace_id?: string; span_id?: string } {
  const span = trace.getActiveSpan()?.spanContext();
  return span === undefined ? {} : { trace_id: span.traceId, span_id: span.spanId };
}

/** Carries the trace of a request to another process; does nothing while tracing is off. */
export function traceCarrier(tracing: Tracing | null) {
  return {
    inject: (): Record<string, string> => {
      const headers: Record<string, string> = {};
      if (tracing !== null) propagation.inject(context.active(), headers);
      return headers;
    },
    within: <Result>(headers: Readonly<Record<string, string>>, act: () => Result): Result =>
      tracing === null ? act() : context.with(propagation.extract(ROOT_CONTEXT, headers), act),
  };
}

/** Traces each request as a span, a child of the caller's if it sends `traceparent`. It records no paths and bodies. */
export function traceRequests({ tracer }: Tracing): RequestHandler {
  return (request, response, next) => {
    const parent: Context = propagation.extract(ROOT_CONTEXT, request.headers);
    const span = tracer.startSpan(request.method, { kind: SpanKind.SERVER }, parent);
    span.setAttribute('http.request.method', request.method);
    response.once('close', () => {
      const route = routeOf(request);
      span.updateName(`${request.method} ${route}`);
      span.setAttributes({ 'http.route': route, 'http.response.status_code': response.statusCode });
      const id = response.getHeader('x-unbroken-generation-id') ?? request.params['id'];
      if (typeof id === 'string') span.setAttribute('unbroken.generation.id', id);
      if (response.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    });
    context.with(trace.setSpan(parent, span), next);
  };
}
