/** Conversations that are compacted or shortened, by the official client, on real processes that are killed. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import type {
  ResponseCompactionItem,
  ResponseInputItem,
  ResponseStreamEvent,
} from 'openai/resources/responses/responses';
import type { GenerationEvent } from '../../../contracts/events.ts';
import { textOf } from '../../../contracts/fold-events.ts';
import type { UsageView } from '../../../contracts/usage.ts';
import { faultsOf } from '../../harness/check-events.ts';
import { promptOf } from '../../harness/prompt.ts';
import { type Stack, startStack } from '../../harness/stack.ts';
import { connectApi } from '../../harness/unbroken-api.ts';
import { waitFor } from '../../harness/wait-for.ts';

const MODEL = 'simulated/sim-large';
const OTHER_MODEL = 'simulated-messages/sim-large';
const WINDOW = 1_500;
const SMALL = 'simulated-chat/small-window';
const THRESHOLD = 1_000;
const compacting = { context_management: [{ type: 'compaction', compact_threshold: THRESHOLD }] };

let stack: Stack;
let client: OpenAI;
beforeAll(async () => {
  stack = await startStack({ config: { models: { [SMALL]: { contextWindow: WINDOW } } } });
  client = clientOf(stack.api.key);
});
afterAll(() => stack?.stop());
afterEach(() => stack.sim.clearFaults());

function clientOf(apiKey: string): OpenAI {
  const defaultHeaders = { 'x-unbroken-cache': 'off' };
  return new OpenAI({ apiKey, baseURL: `${stack.api.url}/v1`, maxRetries: 0, defaultHeaders });
}

const user = (content: string) => ({ role: 'user' as const, content });
const assistant = (content: string) => ({ role: 'assistant' as const, content });
/** A question of some hundred tokens that no other test has. */
const longQuestion = (tokens = 20) =>
  `${'The lamp by the window is blue. '.repeat(70)}${promptOf({ tokens, delayMs: 0 })}`;
const question = (tokens = 20, delayMs = 0) => promptOf({ tokens, delayMs });
const eventsOf = (responseId: string): Promise<GenerationEvent[]> =>
  stack.api.readOnce(responseId.replace('resp_', 'gen_'), -1);

async function summaryBehind(responseId: string) {
  const note = (await eventsOf(responseId)).find((event) => event.type === 'compaction');
  if (note?.type !== 'compaction') throw new Error(`${responseId} has no summary`);
  return { generationId: note.generationId, events: await stack.api.readOnce(note.generationId, -1) };
}

function compactionIn(output: readonly { readonly type: string }[]): ResponseCompactionItem {
  const item = output.find(({ type }) => type === 'compaction');
  if (item === undefined) throw new Error(`no compaction: ${output.map(({ type }) => type).join()}`);
  return item as ResponseCompactionItem;
}

const received = async (text: string) =>
  (await stack.sim.received(text)).map(({ body }) => JSON.stringify(body));

describe('responses.compact', () => {
  test('gives back the user messages and one item, from which a model of another vendor continues', async () => {
    const [first, second, next] = [longQuestion(), question(), question()];
    const conversation = [
      { role: 'developer' as const, content: `Be brief ${randomUUID()}.` },
      user(first),
      assistant('A lamp.'),
      user(second),
      assistant('A window.'),
    ];
    const compacted = await client.responses.compact({
      model: MODEL,
      input: conversation,
      instructions: 'You are a guide.',
    });
    expect(compacted.object).toBe('response.compaction');
    expect(compacted.output.map(({ type }) => type)).toEqual(['message', 'message', 'compaction']);
    expect(JSON.stringify(compacted.output)).toContain(second);
    expect(compacted.usage.output_tokens).toBeGreaterThan(0);
    const summary = textOf(await eventsOf(compacted.id));
    expect(JSON.stringify(compacted.output)).not.toContain(summary);
    const input = [...(compacted.output as ResponseInputItem[]), user(next)];
    const answer = await client.responses.create({ model: OTHER_MODEL, input });
    expect(answer.status).toBe('completed');
    const [body] = (await received(next)).slice(-1);
    for (const kept of [first, second, summary, conversation[0]?.content]) {
      expect(body).toContain(JSON.stringify(kept).slice(1, -1));
    }
    expect(body).not.toContain('A window.');
    // Its input is listed as the client has sent it.
    const listed = await client.responses.inputItems.list(answer.id, { order: 'asc' });
    expect(listed.data.map(({ type }) => type)).toEqual(['message', 'message', 'compaction', 'message']);
  });

  test('keeps the call whose result has not come, and takes it later', async () => {
    const call = {
      type: 'function_call' as const,
      call_id: 'call_9',
      name: 'look',
      arguments: '{"at":"lamp"}',
    };
    const { output } = await client.responses.compact({
      model: MODEL,
      input: [user(longQuestion()), assistant('Let me look.'), call],
    });
    const marker = `seen ${randomUUID()}`;
    const result = { type: 'function_call_output' as const, call_id: 'call_9', output: marker };
    const tools = [{ type: 'function' as const, name: 'look', parameters: null, strict: false }];
    const input = [...(output as ResponseInputItem[]), result];
    const answer = await client.responses.create({ model: MODEL, input, tools });
    expect(answer.status).toBe('completed');
    expect((await received(marker)).at(-1)).toContain('call_9');
  });

  test('continues an earlier response, and its item is opened after previous_response_id', async () => {
    const prompt = longQuestion();
    const first = await client.responses.create({ model: MODEL, input: prompt });
    const compacted = await client.responses.compact({ model: MODEL, previous_response_id: first.id });
    expect(JSON.stringify(compacted.output[0])).toContain(prompt);
    const input = compacted.output as ResponseInputItem[];
    const second = await client.responses.create({ model: MODEL, input: [...input, user(question())] });
    const last = question();
    await client.responses.create({ model: MODEL, input: last, previous_response_id: second.id });
    const body = (await received(last)).at(-1);
    expect(body).toContain('replaced by a summary');
    expect(body).not.toContain('ubc1_');
    expect(body).not.toContain(JSON.stringify(first.output_text).slice(1, -1));
  });

  test('an item that was changed, or that another tenant got, is refused before anything is spent', async () => {
    const { output } = await client.responses.compact({
      model: MODEL,
      input: [user(longQuestion()), assistant('Yes.')],
    });
    const item = compactionIn(output);
    const encrypted = item.encrypted_content.replace(/.(?=.{9}$)/, (own) => (own === 'A' ? 'B' : 'A'));
    const rival = clientOf(await stack.addKey({ tenant: `rival-${randomUUID()}`, user: 'eve' }));
    const before = (await stack.sim.calls()).length;
    const tries: [OpenAI, ResponseCompactionItem][] = [
      [client, { ...item, encrypted_content: encrypted }],
      [rival, item],
    ];
    for (const [who, own] of tries) {
      await expect(
        who.responses.create({ model: MODEL, input: [own, user(question())] }),
      ).rejects.toMatchObject({
        status: 400,
        param: 'input',
        message: expect.stringContaining('could not be verified'),
      });
    }
    expect(await stack.sim.calls()).toHaveLength(before);
  });

  test('a request without a conversation is refused', async () => {
    await expect(client.responses.compact({ model: MODEL, input: [] })).rejects.toMatchObject({
      status: 400,
    });
    await expect(client.responses.compact({ model: MODEL })).rejects.toMatchObject({
      status: 400,
      param: 'input',
    });
  });
});

describe('context_management', () => {
  test('compacts a chain of responses each time it passes the threshold, and continues from the summary', async () => {
    let previous: string | undefined;
    const turns: { id: string; hasSummary: boolean; inputTokens: number }[] = [];
    for (let turn = 0; turn < 6; turn += 1) {
      const response = await client.responses.create({
        model: MODEL,
        input: longQuestion(),
        ...compacting,
        ...(previous === undefined ? {} : { previous_response_id: previous }),
      });
      previous = response.id;
      const hasSummary = response.output.some(({ type }) => type === 'compaction');
      turns.push({ id: response.id, hasSummary, inputTokens: response.usage?.input_tokens ?? 0 });
      expect(response.output.at(-1)?.type).toBe('message');
    }
    const compacted = turns.filter(({ hasSummary }) => hasSummary);
    expect(turns[0]?.hasSummary).toBe(false);
    expect(compacted.length).toBeGreaterThanOrEqual(2);
    expect(compacted.length).toBeLessThan(turns.length);
    for (const { inputTokens } of turns) expect(inputTokens).toBeLessThan(THRESHOLD * 1.5);
    for (const { id } of compacted) {
      const { events } = await summaryBehind(id);
      expect(faultsOf(events)).toEqual([]);
      expect(events.at(-1)).toMatchObject({ type: 'generation-end' });
      expect(faultsOf(await eventsOf(id))).toEqual([]);
    }
  });

  test('streams the item before the answer; the client may leave out what stands before it', async () => {
    const [old, last, next] = [longQuestion(), longQuestion(), question()];
    const input: ResponseInputItem[] = [user(old), assistant('Blue.'), user(last)];
    const events: ResponseStreamEvent[] = [];
    const stream = client.responses.stream({ model: OTHER_MODEL, input, ...compacting });
    for await (const event of stream) events.push(event);
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, index) => index));
    const opening = events.slice(2, 4).map((event) => ('item' in event ? [event.type, event.item.type] : []));
    expect(opening).toEqual([
      ['response.output_item.added', 'compaction'],
      ['response.output_item.done', 'compaction'],
    ]);
    const response = await stream.finalResponse();
    const item = compactionIn(response.output);
    const { events: written } = await summaryBehind(response.id);
    const summary = JSON.stringify(textOf(written)).slice(1, -1);
    const answered = (await received(last)).at(-1);
    expect(answered).toContain(summary);
    expect(answered).not.toContain(old);
    const kept = response.output.slice(response.output.indexOf(item)) as ResponseInputItem[];
    await client.responses.create({ model: OTHER_MODEL, input: [...kept, user(next)] });
    const continued = (await received(next)).at(-1);
    for (const part of [summary, last]) expect(continued).toContain(part);
    expect(continued).not.toContain(old);
    // What is deleted with a response includes the summary.
    const { generationId } = await summaryBehind(response.id);
    expect((await stack.api.view(generationId)).status).toBe(200);
    await client.responses.delete(response.id);
    expect((await stack.api.view(generationId)).status).toBe(404);
    // The whole conversation with the item in it is the same to the model.
    const again = question();
    await client.responses.create({
      model: OTHER_MODEL,
      input: [...input, ...(response.output as ResponseInputItem[]), user(again)],
    });
    expect((await received(again)).at(-1)).not.toContain(old);
  });

  test('a conversation keeps the item, and its later turns continue from it', async () => {
    const { id: conversation } = await client.conversations.create();
    const prompts = [longQuestion(), longQuestion(), question()];
    for (const input of prompts) {
      await client.responses.create({ model: MODEL, input, conversation, ...compacting });
    }
    const types: (string | undefined)[] = [];
    for await (const { type } of client.conversations.items.list(conversation, { order: 'asc' }))
      types.push(type);
    expect(types.filter((type) => type === 'compaction').length).toBeGreaterThanOrEqual(1);
    const body = (await received(prompts[2] ?? '')).at(-1);
    expect(body).toContain('replaced by a summary');
    expect(body).not.toContain(prompts[0]);
  });

  test('a worker that is killed while the summary is written costs nothing twice', async () => {
    const key = await stack.addKey({
      tenant: `compaction-${randomUUID()}`,
      user: 'ann',
      scopes: ['generate'],
    });
    const ann = connectApi(stack.api.url, key);
    const [worker] = stack.workers;
    if (worker === undefined) throw new Error('the stack has no worker');
    // The request for the summary has no directive, so that of the older turn counts.
    const old = `${'The lamp by the window is blue. '.repeat(150)}${promptOf({ tokens: 300, delayMs: 10 })}`;
    const last = question(30);
    const input = [user(old), assistant('Blue.'), user(last)];
    const answering = clientOf(key).responses.create({ model: MODEL, input, ...compacting });
    await waitFor('the summary is being written', async () =>
      (await stack.sim.asked(old)).some(({ text }) => text.length > 200),
    );
    await worker.kill();
    await worker.restart();
    const response = await answering;
    expect(response.status).toBe('completed');
    compactionIn(response.output);
    expect(await stack.sim.asked(old)).toHaveLength(1);
    expect(await stack.sim.asked(last)).toHaveLength(1);
    const id = response.id.replace('resp_', 'gen_');
    const note = (await ann.readOnce(id, -1)).find((event) => event.type === 'compaction');
    if (note?.type !== 'compaction') throw new Error('no summary');
    const [summary, answer] = [(await ann.view(note.generationId)).body, (await ann.view(id)).body];
    expect(summary).toMatchObject({ status: 'completed', usage: { outputTokens: 300, estimated: false } });
    expect(answer).toMatchObject({ status: 'completed', usage: { outputTokens: 30, estimated: false } });
    const spent = (summary.costMicroUsd ?? 0) + (answer.costMicroUsd ?? 0);
    await waitFor('both are booked, once', async () => {
      const { totals } = (await (await ann.send('/v1/usage')).json()) as UsageView;
      return totals.generations === 2 && totals.costMicroUsd === spent;
    });
  });

  test('a summary that cannot be written does not fail the answer', async () => {
    const marker = `marker ${randomUUID()}`;
    await stack.sim.fault({ status: 400, match: 'It will replace the messages above', times: 10 });
    const input = [user(`${marker} ${longQuestion()}`), assistant('Blue.'), user(longQuestion())];
    const response = await client.responses.create({ model: MODEL, input, ...compacting });
    expect(response.status).toBe('completed');
    expect(response.output.map(({ type }) => type)).toEqual(['message']);
    expect((await received(marker)).at(-1)).not.toContain('replaced by a summary');
  });

  test('a short conversation is left alone, and a threshold below the least is refused', async () => {
    const short = await client.responses.create({ model: MODEL, input: question(), ...compacting });
    expect(short.output.map(({ type }) => type)).toEqual(['message']);
    const low = { context_management: [{ type: 'compaction', compact_threshold: 999 }] };
    await expect(client.responses.create({ model: MODEL, input: 'Hi', ...low })).rejects.toMatchObject({
      status: 400,
      param: 'context_management.0.compact_threshold',
    });
  });
});

describe('truncation', () => {
  const call = { type: 'function_call' as const, call_id: 'call_1', name: 'look', arguments: '{}' };
  const result = { type: 'function_call_output' as const, call_id: 'call_1', output: 'It is blue.' };
  const tools = [{ type: 'function' as const, name: 'look', parameters: null, strict: false }];

  test('disabled: an input that no window can hold is refused as OpenAI does, before any call', async () => {
    const input = [
      user(longQuestion()),
      assistant('a'),
      user(longQuestion()),
      assistant('b'),
      user(longQuestion()),
    ];
    const before = (await stack.sim.calls()).length;
    for (const truncation of [undefined, 'disabled' as const]) {
      await expect(
        client.responses.create({ model: SMALL, input, ...(truncation && { truncation }) }),
      ).rejects.toMatchObject({
        status: 400,
        code: 'context_length_exceeded',
        type: 'invalid_request_error',
        param: 'input',
      });
    }
    expect(await stack.sim.calls()).toHaveLength(before);
  });

  test.each([
    ['no window can hold', SMALL],
    ['its provider refuses', 'simulated-chat/any-window'],
  ])(
    'an input that %s is a response that begins and fails, in a stream as at the vendor',
    async (_, model) => {
      const input = `${longQuestion()} ${longQuestion()} ${longQuestion()}`;
      await stack.sim.fault({ kind: 'context-length', match: input });
      const stream = await client.responses.create({ model, input, stream: true });
      const frames: ResponseStreamEvent[] = [];
      for await (const frame of stream) frames.push(frame);
      expect(frames).toMatchObject([
        { type: 'response.created', sequence_number: 0 },
        { type: 'response.in_progress', sequence_number: 1 },
        {
          type: 'response.failed',
          sequence_number: 2,
          response: { status: 'failed', error: { code: 'context_length_exceeded' }, output: [] },
        },
      ]);
    },
  );

  test('auto: the beginning is left out; instructions stay, and a call stays with its result', async () => {
    const developer = `Be brief ${randomUUID()}.`;
    const [first, second, last] = [longQuestion(), longQuestion(), question()];
    const input = [
      { role: 'developer' as const, content: developer },
      user(first),
      call,
      result,
      assistant('It is blue.'),
      user(second),
      assistant('It still is.'),
      user(last),
    ];
    const { data, response } = await client.responses
      .create({ model: SMALL, input, tools, truncation: 'auto', instructions: 'You are a guide.' })
      .withResponse();
    expect(data).toMatchObject({ status: 'completed', truncation: 'auto' });
    expect(response.headers.get('x-unbroken-dropped')).toBeNull();
    const body = (await received(last)).at(-1);
    for (const kept of [developer, second, 'You are a guide.']) expect(body).toContain(kept);
    for (const left of [first, 'call_1']) expect(body).not.toContain(left);
    // What was left out is still a part of the conversation.
    const listed = await client.responses.inputItems.list(data.id, { order: 'asc' });
    expect(JSON.stringify(listed.data)).toContain(first);
  });

  test('auto: a last turn that is too large by itself is refused', async () => {
    const input = `${longQuestion()} ${longQuestion()} ${longQuestion()}`;
    await expect(client.responses.create({ model: SMALL, input, truncation: 'auto' })).rejects.toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
    });
  });

  test('auto: where the window is not known, the response says that nothing was left out', async () => {
    const model = 'simulated-chat/any-window';
    const { response } = await client.responses
      .create({ model, input: question(), truncation: 'auto' })
      .withResponse();
    expect(response.headers.get('x-unbroken-dropped')).toContain('truncation');
  });
});
