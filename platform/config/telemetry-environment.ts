/** Reads where metrics and traces go. Both are off by default. The `OTEL_` names are OpenTelemetry's own. */
import { z } from 'zod';

const NO_PORT = 'expected a port, 0 to 65535';

export const portSchema = z.coerce.number(NO_PORT).int(NO_PORT).min(0, NO_PORT).max(65_535, NO_PORT);

const flag = z.stringbool().default(false);

export const telemetryEnvironment = {
  UNBROKEN_METRICS_PORT: portSchema.optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url().optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: z.url().optional(),
  OTEL_SERVICE_NAME: z.string().max(255).optional(),
  OTEL_SDK_DISABLED: flag,
  OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: flag,
};

export interface TelemetrySettings {
  /** Port of `/metrics`, `/healthz` and `/readyz`, on the host of the process; 0: any; undefined: none. */
  readonly metricsPort: number | undefined;
  readonly traces: TraceSettings | null;
}

export interface TraceSettings {
  /** Receives OTLP over HTTP, as protobuf. */
  readonly url: string;
  /** Absent: `unbroken-api` and `unbroken-worker`. */
  readonly serviceName: string | undefined;
  /** Whether prompts and answers are written into traces. */
  readonly capturesContent: boolean;
}

export function telemetrySettings(
  env: z.output<z.ZodObject<typeof telemetryEnvironment>>,
): TelemetrySettings {
  const base = env.OTEL_EXPORTER_OTLP_ENDPOINT;
  const url =
    env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? (base && `${base.replace(/\/+$/, '')}/v1/traces`) ?? '';
  return {
    metricsPort: env.UNBROKEN_METRICS_PORT,
    traces:
      url === '' || env.OTEL_SDK_DISABLED
        ? null
        : {
            url,
            serviceName: env.OTEL_SERVICE_NAME,
            capturesContent: env.OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT,
          },
  };
}
