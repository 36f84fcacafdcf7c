import { randomUUID } from 'node:crypto';
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { connectScript, endWith, RESET, type Script, START, texts, USAGE } from '../../harness/script.ts';
import { type Stack, startStack } from '../../harness/stack.ts';
import { waitFor } from '../../harness/wait-for.ts';

let stack: Stack;
let script: Script;
let openai: OpenAI;
let anthropic: Anthropic;
beforeAll(async () => {
  const config = {
    routes: { held: ['simulated/sim-large'], plain: ['simulated/sim-large'] },
    wires: { holdRoutes: ['held'] },
  };
  stack = await startStack({ workers: 0, config });
  script = await connectScript(stack);
  openai = new OpenAI({ apiKey: stack.api.key, baseURL: `${stack.api.url}/v1` });
  anthropic = new Anthropic({ apiKey: stack.api.key, baseURL: stack.api.url });
});
afterAll(async () => {
  script?.close();
  await stack?.stop();
});

interface Heard {
  readonly text: string;
  readonly error: unknown;
}

/** The text that a client has, and the error that ended its stream. */
function hear(pieces: AsyncIterable<string>): {
  readonly text: () => string;
  readonly ended: Promise<Heard>;
} {
  let text = '';
  const listen = async (): Promise<Heard> => {
    try {
      for await (const chunk of pieces) text += chunk;
      return { text, error: null };
    } catch (error) {
      return { text, error };
    }
  };
  return { text: () => text, ended: listen() };
}

async function* chat(model: string, key: string): AsyncGenerator<string> {
  const stream = await openai.chat.completions.create(
    { model, stream: true, messages: [{ role: 'user', content: 'Tell me.' }] },
    { headers: { 'idempotency-key': key } },
  );
  for await (const chunk of stream) yield chunk.choices[0]?.delta.content ?? '';
}

async function* message(model: string, key: string): AsyncGenerator<string> {
  const stream = await anthropic.messages.create(
    { model, stream: true, max_tokens: 100, messages: [{ role: 'user', content: 'Tell me.' }] },
    { headers: { 'idempotency-key': key } },
  );
  for await (const event of stream) {
    if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') yield event.delta.text;
  }
}

describe.each([
  ['chat completions', chat],
  ['messages', message],
])('text that becomes void, in %s', (_name, ask) => {
  test('ends the stream with an error that has the id; asked again, the new text comes alone', async () => {
    const key = randomUUID();
    const heard = hear(ask('unbroken/plain', key));
    await script.play(key, [START, ...texts('wro', 'ng')]);
    await waitFor('the text at the reader', () => heard.text() === 'wrong');
    await script.play(key, [RESET]);
    const { text, error } = await heard.ended;
    expect(text).toBe('wrong');
    expect(error).toMatchObject({ error: expect.anything() });
    expect(JSON.stringify(error)).toContain('text_voided');
    expect(JSON.stringify(error)).toContain(script.generationId(key));
    await script.play(key, [...texts('right'), endWith()]);
    expect(await hear(ask('unbroken/plain', key)).ended).toEqual({ text: 'right', error: null });
  });

  test('was never sent, on a route that holds it back', async () => {
    const key = randomUUID();
    const heard = hear(ask('unbroken/held', key));
    await script.play(key, [START, ...texts('wrong'), RESET, ...texts('ri', 'ght'), endWith()]);
    expect(await heard.ended).toEqual({ text: 'right', error: null });
  });
});

test('an answer that fails in the middle is no answer: the client gets an error after its text', async () => {
  const key = randomUUID();
  const heard = hear(chat('unbroken/plain', key));
  const error = { code: 'all_candidates_failed', message: 'All failed.', doc: '/docs/errors/x' };
  await script.play(key, [
    START,
    ...texts('half'),
    { type: 'generation-error', error, attempts: 1, usage: USAGE, costMicroUsd: 0 },
  ]);
  expect(await heard.ended).toMatchObject({ text: 'half', error: { code: 'all_candidates_failed' } });
});
