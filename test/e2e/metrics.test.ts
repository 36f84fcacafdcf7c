import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import { type Exported, missingIn, readExported } from '../harness/prometheus-text.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import { type Seat, type Stack, startStack } from '../harness/stack.ts';
import { waitFor } from '../harness/wait-for.ts';
import { readJson, readProjectFile } from '../house/project-files.ts';
import { scalingQueries } from '../house/scaling-signals.ts';

const USER = 'somebody-with-a-name';
let stack: Stack;
let generationId = '';
let page = '';
let exported: Exported;

beforeAll(async () => {
  stack = await startStack({ env: { UNBROKEN_METRICS_PORT: '0' } });
  const body = await stack.api.submit({ input: promptOf({ tokens: 60, delayMs: 30 }), user: USER });
  generationId = body.id;
  await startReading(stack.api, body.id).whole;
  page = await waitFor('the settled generation in the metrics', async () => {
    const pages = await Promise.all([...stack.workers, ...stack.apis].map(pageOf));
    const text = pages.join('\n');
    return text.includes('unbroken_settled_tokens_total{') ? text : undefined;
  });
  exported = readExported(page);
});
afterAll(() => stack?.stop());

async function pageOf(seat: Seat): Promise<string> {
  return (await fetch(`${urlOf(seat)}/metrics`)).text();
}

function urlOf(seat: Seat): string {
  return /"metricsUrl":"([^"]+)"/.exec(seat.log())?.[1] ?? '';
}

const amountOf = (series: string) => Number(new RegExp(`^${series} (\\S+)$`, 'm').exec(page)?.[1]);

describe('what the processes export', () => {
  test('one generation is counted once, under the names of the conventions', () => {
    const model =
      'gen_ai_operation_name="chat",gen_ai_provider_name="simulated",gen_ai_request_model="sim-large"';
    expect(amountOf(`gen_ai_client_token_usage_sum\\{${model},gen_ai_token_type="output"\\}`)).toBe(60);
    expect(amountOf(`gen_ai_server_time_to_first_token_seconds_count\\{${model}\\}`)).toBe(1);
    expect(amountOf(`gen_ai_server_time_per_output_token_seconds_count\\{${model}\\}`)).toBe(1);
    expect(amountOf(`gen_ai_server_request_duration_seconds_count\\{${model},error_type=""\\}`)).toBe(1);
    expect(amountOf('unbroken_generations_started_total')).toBe(1);
    expect(amountOf('unbroken_generations_ended_total\\{status="completed"\\}')).toBe(1);
    expect(amountOf('unbroken_time_to_first_text_seconds_count')).toBe(1);
    expect(amountOf('unbroken_relay_viewers')).toBe(0);
    expect(amountOf('unbroken_streams_running')).toBe(0);
    expect(page).toContain('temporal_workflow_task_schedule_to_start_latency_seconds_bucket');
  });

  test('no label holds a user, a generation or a prompt', () => {
    expect(page).not.toContain(USER);
    expect(page).not.toContain(generationId);
    expect(page).not.toContain('Tell me story');
    expect(page).toContain('http_route="/v1/generations/:id/events"');
  });

  test('a worker and an API say that they live and are ready', async () => {
    for (const seat of [...stack.workers, ...stack.apis]) {
      for (const path of ['healthz', 'readyz'])
        expect((await fetch(`${urlOf(seat)}/${path}`)).status).toBe(200);
      expect((await fetch(`${urlOf(seat)}/else`)).status).toBe(404);
    }
  });
});

const rulesSchema = z.object({
  groups: z.array(z.object({ rules: z.array(z.object({ alert: z.string(), expr: z.string() })) })),
});
const dashboardSchema = z.object({
  panels: z.array(z.object({ title: z.string(), targets: z.array(z.object({ expr: z.string() })) })),
});

describe('dashboard, alerts and autoscalers', () => {
  test('every autoscaler asks for what is exported', () => {
    const queries = scalingQueries();
    expect(queries.length).toBeGreaterThan(7);
    expect(queries.flatMap((query) => missingIn(query, exported))).toEqual([]);
  });

  test('every alert asks for what is exported', () => {
    const { groups } = rulesSchema.parse(parse(readProjectFile('tools/deploy/observability/alerts.yml')));
    const rules = groups.flatMap(({ rules: all }) => all);
    expect(rules.length).toBeGreaterThan(10);
    expect(
      rules.flatMap(({ alert, expr }) => missingIn(expr, exported).map((fault) => `${alert}: ${fault}`)),
    ).toEqual([]);
  });

  test('every panel asks for what is exported', () => {
    const { panels } = dashboardSchema.parse(
      readJson('tools/deploy/observability/grafana/dashboards/unbroken.json'),
    );
    expect(panels.length).toBeGreaterThan(15);
    const faults = panels.flatMap(({ title, targets }) =>
      targets.flatMap(({ expr }) => missingIn(expr, exported).map((fault) => `${title}: ${fault}`)),
    );
    expect(faults).toEqual([]);
  });

  test('the check notices a name and a label that nobody exports', () => {
    expect(missingIn('sum(rate(unbroken_nothing_total[5m])) > 1', exported)).toEqual([
      'unbroken_nothing_total is not exported',
    ]);
    expect(missingIn('sum by (model) (unbroken_generations_ended_total{state="failed"})', exported)).toEqual([
      'unbroken_generations_ended_total has no label state',
      'unbroken_generations_ended_total has no label model',
    ]);
  });
});
