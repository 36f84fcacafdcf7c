/** What Gemini and Gemma refuse in a request, by their models. Each group names where it was reported. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Message } from '../../../contracts/content.ts';
import type { GenerationInput, ReasoningEffort } from '../../../contracts/generation.ts';
import { adapterFor, simulatedConfig } from './adapter-for.ts';
import { type FixtureServer, readFixture, startFixtureServer } from './fixture-server.ts';
import { callOf, hear } from './hear.ts';

let server: FixtureServer;
beforeAll(async () => {
  server = await startFixtureServer();
});
afterAll(() => server.stop());

async function sent(input: Partial<GenerationInput>, model = 'gemini-3-flash') {
  server.requests.length = 0;
  server.play(readFixture('google', 'plain'));
  const { error } = await hear(
    adapterFor('google', simulatedConfig('google', server.url)),
    callOf(input, { model }),
  );
  expect(error).toBeUndefined();
  return server.requests[0]?.body as Record<string, unknown>;
}

const user = (content: string): Message => ({ role: 'user', content });
const says = (content: string): Message => ({ role: 'assistant', content });
const CALL: Message = {
  role: 'assistant',
  content: [{ type: 'tool-call', id: 'a', name: 'find', arguments: '{}' }],
};
const RESULT: Message = { role: 'user', content: [{ type: 'tool-result', id: 'a', content: 'ok' }] };
const TOOLS = [{ name: 'find', parameters: { type: 'object', properties: {} } }];

// https://github.com/lbjlaq/Antigravity-Manager/pull/3396, https://github.com/continuedev/continue/issues/11164
describe('a call follows the user or a result', () => {
  test('after words of the same turn that came as another message', async () => {
    const messages = [user('Find it.'), says('I look.'), CALL, RESULT];
    const { contents } = await sent({ messages, tools: TOOLS });
    expect(contents).toMatchObject([
      { role: 'user' },
      { role: 'model', parts: [{ text: 'I look.' }, { functionCall: { name: 'find' } }] },
      { role: 'user', parts: [{ functionResponse: { name: 'find' } }] },
    ]);
  });

  test('at the beginning of a conversation', async () => {
    const { contents } = await sent({ messages: [CALL, RESULT], tools: TOOLS });
    expect(contents).toMatchObject([{ role: 'user' }, { role: 'model' }, { role: 'user' }]);
  });
});

// https://github.com/BerriAI/litellm/pull/29325, https://github.com/NousResearch/hermes-agent/pull/96466
describe('what a tool has shown', () => {
  const png = { type: 'image', url: 'data:image/png;base64,iVBORw0KGgo=' } as const;
  const remote = { type: 'image', url: 'https://example.com/a.png' } as const;
  const shown: Message = {
    role: 'user',
    content: [{ type: 'tool-result', id: 'a', content: [{ type: 'text', text: 'ok' }, png, remote] }],
  };
  const inline = { inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } };
  const byAddress = { fileData: { fileUri: remote.url, mimeType: 'image/png' } };

  test.each([
    ['is part of its response', 'gemini-3-flash', [inline], [byAddress]],
    ['follows the response at an older model', 'gemini-2.5-flash', undefined, [inline, byAddress]],
  ])('%s', async (_where, model, parts, others) => {
    const { contents } = await sent({ messages: [user('Find it.'), CALL, shown], tools: TOOLS }, model);
    const [, , result] = contents as { parts: { functionResponse?: { parts?: unknown } }[] }[];
    expect(result?.parts[0]?.functionResponse).toMatchObject({ name: 'find', response: { output: 'ok' } });
    expect(result?.parts[0]?.functionResponse?.parts).toEqual(parts);
    expect(result?.parts.slice(1)).toEqual(others);
  });
});

// https://github.com/musistudio/claude-code-router/pull/1207
test('a choice among no tools is left out', async () => {
  expect(await sent({ toolChoice: 'auto' })).not.toHaveProperty('toolConfig');
});

// https://github.com/PublicAffairs/openai-gemini/issues/63
test('penalties that change nothing are left out', async () => {
  const { generationConfig } = await sent({ presencePenalty: 0, frequencyPenalty: 0.5 });
  expect(generationConfig).toMatchObject({ frequencyPenalty: 0.5 });
  expect(generationConfig).not.toHaveProperty('presencePenalty');
});

// https://github.com/egoist/chatwise-releases/issues/1206, https://github.com/fishjar/kiss-translator/issues/1048
test.each([
  ['gemini-3-pro-preview', 'medium', 'HIGH'],
  ['gemini-3-pro-preview', 'low', 'LOW'],
  ['gemini-3.1-pro-preview', 'medium', 'MEDIUM'],
  ['gemini-3.1-pro-preview', 'minimal', 'LOW'],
  ['gemini-3.6-flash', 'minimal', 'MINIMAL'],
  ['gemini-3.7-flash', 'minimal', 'LOW'],
  ['gemini-3.7-flash', 'none', 'LOW'],
  ['gemini-3.5-flash-lite', 'none', 'MINIMAL'],
  ['gemini-flash-latest', 'none', 'LOW'],
  ['gemini-pro-latest', 'minimal', 'LOW'],
  // https://github.com/earendil-works/pi/issues/2812
  ['gemma-4-31b-it', 'none', 'MINIMAL'],
  ['gemma-4-31b-it', 'low', 'MINIMAL'],
  ['gemma-4-26b-a4b-it', 'medium', 'HIGH'],
] as const)('%s takes effort %s as %s', async (model, effort, thinkingLevel) => {
  const { generationConfig } = await sent({ reasoning: { effort: effort as ReasoningEffort } }, model);
  expect(generationConfig).toMatchObject({ thinkingConfig: { thinkingLevel } });
});

// https://github.com/0xPlaygrounds/rig/issues/788
test('Gemma gets the system text as words of the user, and no thinking', async () => {
  const input: Partial<GenerationInput> = {
    system: 'Be brief.',
    messages: [user('Hello')],
    reasoning: { effort: 'low' },
  };
  const old = await sent(input, 'gemma-3-27b-it');
  expect(old).not.toHaveProperty('systemInstruction');
  expect(JSON.stringify(old)).not.toContain('thinking');
  expect(old['contents']).toMatchObject([
    { role: 'user', parts: [{ text: 'Be brief.' }] },
    { role: 'user', parts: [{ text: 'Hello' }] },
  ]);
  expect(await sent(input, 'gemma-4-31b-it')).toHaveProperty('systemInstruction');
});

// https://github.com/router-for-me/CLIProxyAPI/issues/1292, https://github.com/RooCodeInc/Roo-Code/pull/10728
test('an empty text is left out, and so is a turn without anything else', async () => {
  const image = { type: 'image', url: 'https://example.com/a.png' } as const;
  const messages: Message[] = [
    user('Hello'),
    says(''),
    { role: 'user', content: [{ type: 'text', text: '' }, image] },
  ];
  expect((await sent({ messages }))['contents']).toEqual([
    { role: 'user', parts: [{ text: 'Hello' }] },
    { role: 'user', parts: [{ fileData: { fileUri: image.url, mimeType: 'image/png' } }] },
  ]);
});

test('a conversation without a word is refused by the vendor, not by its SDK', async () => {
  expect((await sent({ messages: [user('')] }))['contents']).toEqual([
    { role: 'user', parts: [{ text: '' }] },
  ]);
});

// https://github.com/agentjido/req_llm/issues/433, https://github.com/0xPlaygrounds/rig/pull/873,
// https://github.com/steipete/oracle/pull/332
test.each([
  ['image', 'https://www.youtube.com/watch?v=dQw4w9WgXcQ', undefined],
  ['file', 'https://youtu.be/dQw4w9WgXcQ', undefined],
  ['file', 'https://generativelanguage.googleapis.com/v1beta/files/abc', undefined],
  ['file', 'https://example.com/clip.mp4?sig=a.pdf', 'video/mp4'],
  ['file', 'https://example.com/talk.MP3', 'audio/mpeg'],
  ['file', 'https://example.com/notes.md', 'text/plain'],
  ['file', 'https://example.com/paper', 'application/pdf'],
  ['image', 'https://example.com/a.jpg?next=b.png', 'image/jpeg'],
  ['image', 'https://example.com/a.constructor', 'image/jpeg'],
] as const)('%s %s has the type %s', async (type, url, mimeType) => {
  const { contents } = await sent({ messages: [{ role: 'user', content: [{ type, url }] }] });
  const typed = mimeType === undefined ? {} : { mimeType };
  expect(contents).toEqual([{ role: 'user', parts: [{ fileData: { fileUri: url, ...typed } }] }]);
});
