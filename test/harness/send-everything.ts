/** A user who sends one of everything that can be sent, with a word that can be recognised anywhere. */
import { randomUUID } from 'node:crypto';
import OpenAI, { toFile } from 'openai';
import type { UnbrokenClient } from '../../clients/typescript/index.ts';
import { RedisComplaints } from '../../engine/cache/redis-complaints.ts';
import { RedisCallAnswers } from '../../engine/reasoning/call-answers.ts';
import type { RedisConnection } from '../../platform/redis/redis-connection.ts';
import { endOf } from './jobs.ts';
import { startReading } from './reader.ts';
import type { Stack } from './stack.ts';
import { qdrantPoints } from './stored-text.ts';
import type { UnbrokenApi } from './unbroken-api.ts';
import { waitFor } from './wait-for.ts';

const MODEL = 'simulated/sim-large';

/** A user with a key, and a word that only this user says. */
export interface Person {
  readonly name: string;
  readonly word: string;
  readonly api: UnbrokenApi;
  readonly client: UnbrokenClient;
}

interface Surroundings {
  readonly tenant: string;
  readonly stack: Stack;
  readonly redis: RedisConnection;
  /** Another one at each call. */
  readonly webhook: () => { readonly url: string; readonly secret: string };
}

export const say = (word: string, tokens = 8, delayMs = 0) =>
  `Of ${word}, ${randomUUID()}. [[sim tokens=${tokens} delay_ms=${delayMs}]]`;

export async function untilAnswerIsStored(env: Stack['env'], generationId: string): Promise<void> {
  await waitFor('it is stored', async () => {
    const points = [...(await qdrantPoints(env)).values()];
    return points.some((point) => point.includes('"text"') && point.includes(generationId));
  });
}

/** A stored answer whose log is gone from Redis. @returns its id */
async function loseLog({ stack, redis }: Surroundings, { word, api, client }: Person): Promise<string> {
  const { id } = await client.submit({ input: say(word) });
  await startReading(api, id).whole;
  await untilAnswerIsStored(stack.env, id);
  const keys = await redis.keys(`ub:log:{${id}}:*`);
  if (keys.length > 0) await redis.del(keys);
  return id;
}

/** Two lines in a file, and the file of their results. */
async function runBatch(openai: OpenAI, word: string): Promise<void> {
  const lines = ['a', 'b'].map((custom_id) => {
    const body = { model: MODEL, messages: [{ role: 'user', content: say(word) }] };
    return JSON.stringify({ custom_id, method: 'POST', url: '/v1/chat/completions', body });
  });
  const file = await openai.files.create({
    file: await toFile(Buffer.from(lines.join('\n')), `${word}.jsonl`),
    purpose: 'batch',
  });
  const endpoint = '/v1/chat/completions' as const;
  const batch = { input_file_id: file.id, endpoint, completion_window: '24h' as const, metadata: { word } };
  const { id } = await openai.batches.create(batch);
  await waitFor('the batch', async () => (await openai.batches.retrieve(id)).status === 'completed');
}

/** @returns the ids of the first generation that has a log, and of one whose log Redis has lost. */
export async function sendEverything(
  person: Person,
  surroundings: Surroundings,
): Promise<{ first: string; lost: string }> {
  const { name, word, api, client } = person;
  const { tenant, redis, webhook } = surroundings;
  const lost = await loseLog(surroundings, person);
  const { id: first } = await client.submit({ input: say(word), metadata: { word }, webhook: webhook() });
  await startReading(api, first).whole;
  await client.giveFeedback(first, { score: 1, comment: `It was ${word}.` });
  await sendInOtherFormats(person);
  await runJobAndSchedule(person, webhook());
  await new RedisCallAnswers(redis).remember({ tenant, user: name }, first, ['call_1']);
  await complainAsOf({ tenant, redis }, person, first);
  return { first, lost };
}

/** As if the generation had got an answer to another question. */
export async function complainAsOf(
  { tenant, redis }: Pick<Surroundings, 'tenant' | 'redis'>,
  { name, word }: Person,
  generationId: string,
): Promise<void> {
  await new RedisComplaints(redis).add(tenant, {
    generationId,
    entryId: randomUUID(),
    user: name,
    owner: null,
    questionId: null,
    questions: [word],
    storedQuestion: null,
    similarity: 0.9,
  });
}

async function sendInOtherFormats({ word, api }: Person): Promise<void> {
  const openai = new OpenAI({ apiKey: api.key, baseURL: `${api.url}/v1`, maxRetries: 0 });
  const item = { type: 'message' as const, role: 'user' as const, content: word };
  const conversation = await openai.conversations.create({ items: [item], metadata: { word } });
  await openai.responses.create({ model: MODEL, input: say(word), conversation: conversation.id });
  await openai.chat.completions.create({ model: MODEL, messages: [{ role: 'user', content: say(word) }] });
  await runBatch(openai, word);
  const message = { id: 'm1', role: 'user', parts: [{ type: 'text', text: say(word) }] };
  const chat = { id: `chat-${word}`, messages: [message] };
  await (await api.send('/v1/ui/chat', { method: 'POST', body: JSON.stringify(chat) })).text();
}

async function runJobAndSchedule(
  { word, api, client }: Person,
  webhook: ReturnType<Surroundings['webhook']>,
): Promise<void> {
  const definition = {
    input: { topic: {} },
    steps: {
      draft: { input: `{{/input/topic}} [[sim tokens=6]]` },
      check: { approve: { message: 'Good? {{/input/topic}}' } },
    },
  };
  const job = await client.jobs.run({ definition, input: { topic: word }, webhook });
  await waitFor('the job waits', async () => (await client.jobs.get(job.id)).status === 'waiting');
  await client.jobs.approve(job.id, 'check', { note: word });
  await endOf(client, job.id);
  const schedule = await client.schedules.create({
    times: { cron: ['0 6 1 1 *'] },
    generation: { input: say(word) },
    description: word,
  });
  await client.schedules.trigger(schedule.id);
  await waitFor('the tick has run', async () => {
    const [run] = (await client.schedules.get(schedule.id)).runs;
    return run !== undefined && (await api.view(run.id)).body.status === 'completed';
  });
}
