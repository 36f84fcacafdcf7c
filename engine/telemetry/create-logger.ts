/** The log of a process: JSON lines on stderr, with the trace id while tracing is on. It never contains prompts. */
import { type DestinationStream, type Logger, pino } from 'pino';
import { type Tracing, traceFields } from './tracing.ts';

const MOST_CAUSES = 5;

export function createLogger(
  level: string,
  tracing: Tracing | null,
  destination: DestinationStream = pino.destination(2),
): Logger {
  return pino(
    {
      level,
      // Temporal's SDK logs its errors under `error`, for which pino has no serializer: it would print {}.
      serializers: { error: (error: unknown) => describeError(error) },
      ...(tracing === null ? {} : { mixin: traceFields }),
    },
    destination,
  );
}

/** Logs only the standard fields of an error: others may hold a request, with its headers or its prompt. */
function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message, stack, cause } = error;
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  const type = 'type' in error && typeof error.type === 'string' ? error.type : name;
  const causes =
    cause === undefined || depth >= MOST_CAUSES ? {} : { cause: describeError(cause, depth + 1) };
  return { type, message, ...code, stack, ...causes };
}
