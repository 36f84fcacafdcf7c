/** The simulated caches keep what the vendors' guides say that theirs keep. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { PromptCache } from '../../../tools/simulator/prompt-cache.ts';

const MINUTE_MS = 60_000;
const mark = { cache_control: { type: 'ephemeral' } };
const hour = { cache_control: { type: 'ephemeral', ttl: '1h' } };
/** A text of so many tokens. */
const words = (tokens: number, word = 'word') => word.repeat(tokens);
const system = [{ type: 'text', text: words(2_000), ...mark }];
const say = (role: string, text: string, more: object = {}) => ({
  role,
  content: [{ type: 'text', text, ...more }],
});

let cache: PromptCache;
let nowMs = 0;
beforeEach(() => {
  nowMs = 0;
  cache = new PromptCache(() => nowMs);
});

const ask = (body: object, { apiKey = 'a', model = 'claude-sonnet-4-5', wire = 'anthropic' } = {}) =>
  cache.serve({ wire: wire as 'anthropic', apiKey, model, body });

describe("Anthropic's", () => {
  test('writes a marked prefix, and reads it again with the same key and model only', () => {
    const body = { system, messages: [say('user', 'Hi')] };
    expect(ask(body)).toMatchObject({ cached: 0, written: 2_002 });
    expect(ask({ ...body, messages: [say('user', 'Other')] })).toMatchObject({ cached: 2_002, written: 0 });
    expect(ask(body, { apiKey: 'b' })).toMatchObject({ cached: 0, written: 2_002 });
    expect(ask(body, { model: 'claude-opus-4-8' })).toMatchObject({ cached: 0, written: 2_002 });
  });

  test('keeps nothing without a mark, and nothing shorter than the minimum of the model', () => {
    const plain = { system: words(5_000), messages: [say('user', 'Hi')] };
    for (let call = 0; call < 2; call += 1) expect(ask(plain)).toMatchObject({ cached: 0, written: 0 });
    const body = { system, messages: [say('user', 'Hi')] };
    expect(ask(body, { model: 'claude-haiku-4-5' }).written).toBe(0);
    expect(ask(body, { model: 'claude-opus-4-7' }).written).toBe(0);
    expect(ask(body, { model: 'claude-opus-5' }).written).toBe(2_002);
  });

  test('keeps a prefix for five minutes after its last use, or for an hour', () => {
    const body = (own: object) => ({ system: [{ ...system[0], ...own }], messages: [say('user', 'Hi')] });
    ask(body(mark));
    for (const minute of [4, 8, 12]) {
      nowMs = minute * MINUTE_MS;
      expect(ask(body(mark)).cached).toBeGreaterThan(0);
    }
    nowMs = 17 * MINUTE_MS;
    expect(ask(body(mark)).cached).toBe(0);
    nowMs = 100 * MINUTE_MS;
    expect(ask(body(hour))).toMatchObject({ cached: 0, written: 2_002, writtenForHour: 2_002 });
    nowMs = 159 * MINUTE_MS;
    expect(ask(body(hour)).cached).toBe(2_002);
  });

  test('a conversation writes only its new turns; a string is the same as one block of text', () => {
    const first = { system, messages: [say('user', words(400), mark)] };
    const before = ask(first).written;
    const { cached, written } = ask({
      system,
      messages: [
        { role: 'user', content: words(400) },
        say('assistant', 'Yes.'),
        say('user', words(100), mark),
      ],
    });
    expect([cached, written > 100 && written < 110]).toEqual([before, true]);
  });

  test('looks back 20 blocks from a mark, and no further', () => {
    const blocks = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ type: 'text', text: `block ${index}` }));
    const start = (own: object) => ({ type: 'text', text: words(2_000), ...own });
    const readAfter = (count: number) => {
      cache.clear();
      ask({ messages: [{ role: 'user', content: [start(mark)] }] });
      const content = [...blocks(count), { type: 'text', text: 'last', ...mark }];
      return ask({
        messages: [
          { role: 'user', content: [start({})] },
          { role: 'user', content },
        ],
      }).cached;
    };
    expect(readAfter(18)).toBeGreaterThan(0);
    expect(readAfter(19)).toBe(0);
  });

  test('a mark of the whole request stands on its last block, and tools come before all', () => {
    const tools = [{ name: 'read', description: words(2_000), input_schema: {}, ...mark }];
    expect(ask({ tools, messages: [say('user', 'Hi')] }).written).toBeGreaterThan(2_000);
    expect(ask({ tools, messages: [say('user', 'Hi')], ...mark }).cached).toBeGreaterThan(2_000);
  });
});

describe("OpenAI's", () => {
  const openAi = { wire: 'openai-chat', model: 'gpt-5.1' };
  const history = [say('system', words(2_000)), say('user', 'One')];

  test('reads every known prefix from 1,024 tokens on, in steps of 128, with the same key', () => {
    const messages = [...history, say('assistant', words(500)), say('user', 'Two')];
    expect(ask({ messages: history }, openAi)).toMatchObject({ cached: 0, written: 0 });
    const { cached } = ask({ messages }, openAi);
    expect(cached % 128).toBe(0);
    expect(cached).toBeGreaterThan(1_900);
    expect(ask({ messages }, { ...openAi, apiKey: 'b' }).cached).toBe(0);
    expect(ask({ messages, prompt_cache_key: 'k' }, openAi).cached).toBe(0);
    expect(ask({ messages, prompt_cache_key: 'k' }, openAi).cached).toBeGreaterThan(cached);
  });

  test('keeps nothing of a short prompt', () => {
    const body = { messages: [say('user', words(900))] };
    for (let call = 0; call < 2; call += 1) expect(ask(body, openAi).cached).toBe(0);
  });
});
