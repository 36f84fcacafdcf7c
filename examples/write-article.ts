/** A brief becomes an article: the pipeline of pipelines/article.yaml, followed step by step. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { createClient } from '../clients/typescript/index.ts';
import { readClientEnvironment } from '../platform/config/client-environment.ts';

const { name: _name, ...definition } = parse(
  readFileSync(new URL('pipelines/article.yaml', import.meta.url), 'utf8'),
);
const client = createClient(readClientEnvironment());
const input = {
  brief: process.argv[2] ?? 'Why a city should plant trees along its tram lines, for its council.',
};
const { maxCostMicroUsd } = await client.jobs.estimate({ definition, input });
console.error(`at most ${(maxCostMicroUsd ?? 0) / 1_000_000} USD`);
const job = await client.jobs.run({ definition, input });
for await (const event of client.jobs.follow(job.id, { withText: false })) {
  if (event.type === 'generation-event') continue;
  const step = 'step' in event ? ` ${event.step}` : '';
  const item = 'item' in event && event.item !== null ? ` ${event.item}` : '';
  console.error(`${event.type}${step}${item}`);
}
const { status, output, error } = await client.jobs.get(job.id);
if (status !== 'completed') throw new Error(error?.message ?? status);
console.log(output);
