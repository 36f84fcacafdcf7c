import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { type CollectedSpan, startTraceCollector, type TraceCollector } from '../harness/trace-collector.ts';
import { waitFor } from '../harness/wait-for.ts';

const SECRET = 'the prompt that nobody may see';
const TRACE = '0af7651916cd43dd8448eb211c80319c';
let collector: TraceCollector;
let stack: Stack;

beforeAll(async () => {
  collector = await startTraceCollector();
  stack = await startStack({
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_SCHEDULE_DELAY: '200',
      UNBROKEN_LOG_LEVEL: 'info',
    },
  });
});
afterAll(async () => {
  await stack?.stop();
  await collector?.stop();
});

const inTrace = () => collector.spans().filter(({ traceId }) => traceId === TRACE);

/** The names from a span up to the root of what we were sent. */
function pathOf(span: CollectedSpan): string[] {
  const parent = collector.spans().find(({ spanId }) => spanId === span.parentSpanId);
  return [span.name, ...(parent === undefined ? [] : pathOf(parent))];
}

describe('with OTEL_EXPORTER_OTLP_ENDPOINT', () => {
  test('one trace leads from the HTTP request of the caller to the call of the provider, adopted or not', async () => {
    const response = await stack.api.send('/v1/generations', {
      method: 'POST',
      headers: { traceparent: `00-${TRACE}-b7ad6b7169203331-01` },
      // Longer than a workflow task is held, so that an activity adopts it.
      body: JSON.stringify({ input: `${SECRET} ${promptOf({ tokens: 60, delayMs: 200 })}` }),
    });
    const { id } = (await response.json()) as { id: string };
    await startReading(stack.api, id).whole;
    const ends = ['chat sim-large', 'RunActivity:streamFromProvider', 'RunWorkflow:generation'];
    await waitFor('the spans of the whole trace', () => {
      const names = inTrace().map(({ name }) => name);
      return ends.every((name) => names.includes(name));
    });
    const named = (name: string) => {
      const span = inTrace().find((candidate) => candidate.name === name);
      if (span === undefined) throw new Error(`no span ${name}`);
      return span;
    };
    const call = named('chat sim-large');
    const steps = [
      'RunActivity:beginGeneration',
      'StartActivity:beginGeneration',
      'RunWorkflow:generation',
      'StartWorkflow:generation',
      'POST /v1/generations',
    ];
    expect(pathOf(named('RunActivity:beginGeneration'))).toEqual(steps);
    // Beside the start of the run where a worker was free, else in its first step.
    expect([
      ['chat sim-large', 'POST /v1/generations'],
      ['chat sim-large', ...steps],
    ]).toContainEqual(pathOf(call));
    expect(call.service).toBe('unbroken-worker');
    expect(call.attributes).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'simulated',
      'gen_ai.request.model': 'sim-large',
      'gen_ai.usage.output_tokens': 60,
      'unbroken.generation.id': id,
      'unbroken.attempt': 1,
    });
    expect(inTrace().some(({ name }) => name === 'RunActivity:settleBudget')).toBe(true);
    await waitFor('the line of the generation in the log of the worker', () =>
      stack.workers.some((seat) => lineOf(seat.log(), id, TRACE)),
    );
  });

  test('no prompt, answer or key is in what is sent', () => {
    expect(collector.text()).not.toContain(SECRET);
    expect(collector.text()).not.toContain(stack.api.key);
    expect(collector.text()).toContain('chat sim-large');
    for (const seat of [...stack.apis, ...stack.workers]) expect(seat.log()).not.toContain(SECRET);
  });
});

function lineOf(log: string, generationId: string, traceId: string): boolean {
  return log
    .split('\n')
    .some(
      (line) => line.includes('generation ended') && line.includes(generationId) && line.includes(traceId),
    );
}
