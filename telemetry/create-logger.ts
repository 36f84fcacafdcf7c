/** The log of a process: JSON lines on stderr, each with its trace where traces are on. Prompts never go into it. */
import { type Logger, pino } from 'pino';
import { type Tracing, traceFields } from './tracing.ts';

export function createLogger(level: string, tracing: Tracing | null): Logger {
  return pino({ level, ...(tracing === null ? {} : { mixin: traceFields }) }, pino.destination(2));
}
