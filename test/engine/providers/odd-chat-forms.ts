/** Chat completions in other forms than OpenAI's: where a call, a thought, a count or the end of an answer stands. */
import { DONE, events, github, JSON_TYPE, type OddAnswer } from './odd-answer.ts';
import { callPart, choice, end, hi, run, CHAT as wire } from './odd-chunks.ts';

const PNG = 'data:image/png;base64,iVBORw0KGgo=';
const whole = JSON.stringify(run);
const called = (...tool_calls: readonly unknown[]) => choice({ tool_calls });
const calledEnd = choice({}, 'tool_calls');
const counts = (prompt_tokens: number, completion_tokens: number, more: object = {}) => ({
  choices: [],
  usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens, ...more },
});

const CALLS: readonly OddAnswer[] = [
  {
    says: 'a call as before there were tools, in parts',
    source: github('MeetKai/functionary/issues/243'),
    wire,
    body: events(
      choice({ content: null, function_call: { name: 'bash', arguments: '{"command":' } }),
      choice({ function_call: { arguments: '"ls -la"}' } }),
      choice({}, 'function_call'),
      DONE,
    ),
    calls: [['bash', /^call_/, run]],
    reason: 'tool-calls',
  },
  {
    says: 'a call as before there were tools, in a whole answer',
    source: github('MeetKai/functionary/issues/243'),
    wire,
    type: JSON_TYPE,
    body: JSON.stringify({
      choices: [
        {
          message: { content: null, tool_calls: null, function_call: { name: 'bash', arguments: whole } },
          finish_reason: 'function_call',
        },
      ],
    }),
    calls: [['bash', /^call_/, run]],
    reason: 'tool-calls',
  },
  {
    says: 'the name in parts',
    source: github('continuedev/continue/pull/5849'),
    wire,
    tools: ['edit', 'edit_existing_file'],
    body: events(
      called(callPart(0, 'a', { name: 'edit_ex', arguments: '{"comm' })),
      called(callPart(0, undefined, { name: 'isting_file', arguments: 'and":' })),
      called(callPart(0, undefined, { arguments: '"ls -la"}' })),
      calledEnd,
      DONE,
    ),
    calls: [['edit_existing_file', 'a', run]],
    reason: 'tool-calls',
  },
  {
    says: 'all of the name so far with every part, and a name of no tool',
    source: github('ankit373/hydra/issues/957'),
    wire,
    tools: ['edit_existing_file'],
    body: events(
      called(callPart(0, 'a', { name: 'edit_ex', arguments: '' })),
      called(callPart(0, 'a', { name: 'edit_existing_file', arguments: whole })),
      called(callPart(0, 'a', { name: 'edit_existing_file', arguments: '' })),
      called(callPart(1, 'b', { name: 'edit_', arguments: whole })),
      calledEnd,
      DONE,
    ),
    calls: [
      ['edit_existing_file', 'a', run],
      ['edit_', 'b', run],
    ],
    reason: 'tool-calls',
  },
  {
    says: 'the text in one choice and the calls in the next',
    source: github('HKUDS/nanobot/pull/1555'),
    wire,
    type: JSON_TYPE,
    body: JSON.stringify({
      choices: [
        { message: { role: 'assistant', content: 'Hi' }, finish_reason: 'tool_calls' },
        {
          message: {
            role: 'assistant',
            tool_calls: [callPart(undefined, 'a', { name: 'bash', arguments: whole })],
          },
          finish_reason: 'tool_calls',
        },
      ],
    }),
    text: 'Hi',
    calls: [['bash', 'a', run]],
    reason: 'tool-calls',
  },
  {
    says: 'the text in one choice of a chunk and the calls in the next',
    source: github('HKUDS/nanobot/pull/1555'),
    wire,
    body: events(
      {
        choices: [
          { index: 0, delta: { role: 'assistant', content: 'Hi' } },
          {
            index: 0,
            delta: { role: 'assistant', tool_calls: [callPart(0, 'a', { name: 'bash', arguments: whole })] },
          },
          { index: 1, delta: { content: 'another answer' } },
        ],
      },
      calledEnd,
      DONE,
    ),
    text: 'Hi',
    calls: [['bash', 'a', run]],
    reason: 'tool-calls',
  },
  {
    says: 'no delta, no call in a list, and no list around a call',
    source: github('microsoft/agent-framework/pull/5734'),
    wire,
    body: events(
      { choices: [{ index: 0, delta: null, finish_reason: null }] },
      { choices: [null] },
      choice({ tool_calls: [null] }),
      choice({ tool_calls: { id: 'a', name: 'bash', arguments: whole } }),
      { choices: [{ index: 0, delta: null, finish_reason: 'tool_calls' }] },
      DONE,
    ),
    calls: [['bash', 'a', run]],
    reason: 'tool-calls',
  },
];

const THOUGHTS: readonly OddAnswer[] = [
  {
    says: "thoughts in Magistral's own tags",
    source: github('RooCodeInc/Roo-Code/issues/8522'),
    wire,
    body: events(...['[TH', 'INK]Hm.[/', 'THINK]', 'Hi'].map((content) => choice({ content })), end, DONE),
    reasoning: 'Hm.',
    text: 'Hi',
    reason: 'stop',
  },
  {
    says: "thoughts in the tags of Gemini's own endpoint",
    source: github('wyeeeee/hajimi/pull/292'),
    wire,
    body: events(choice({ content: '<thought>Hm. <think>' }), choice({ content: '</thought>Hi' }), end, DONE),
    reasoning: 'Hm. <think>',
    text: 'Hi',
    reason: 'stop',
  },
  {
    says: 'thoughts as a list, and as an object',
    source: github('BerriAI/litellm/issues/11188'),
    wire,
    body: events(
      choice({ reasoning_content: [{ type: 'text', text: 'Hm.' }] }),
      choice({ reasoning: { content: ' So.' } }),
      choice({ content: [null, 'H', { text: 'i' }] }),
      end,
      DONE,
    ),
    reasoning: 'Hm. So.',
    text: 'Hi',
    reason: 'stop',
  },
];

const ENDS: readonly OddAnswer[] = [
  {
    says: 'a picture and nothing else (OpenRouter)',
    source: github('agentjido/req_llm/issues/933'),
    wire,
    body: events(
      choice({ content: '', images: [{ type: 'image_url', image_url: { url: PNG } }] }),
      end,
      DONE,
    ),
    pictures: [PNG],
    reason: 'stop',
  },
  {
    says: 'a comment that a gateway has wrapped as data, and a word to keep the connection open',
    source: github('mnfst/llm-gateway/issues/2053'),
    wire,
    body: `data: : OPENROUTER PROCESSING\n\ndata: [PING]\n\n${events(hi)}data: keep-alive\n\n${events(end, DONE)}`,
    text: 'Hi',
    reason: 'stop',
  },
  {
    says: 'the counts of the input first, and those of the output last',
    source: github('tensorzero/tensorzero/pull/5544'),
    wire,
    body: events(counts(9, 1, { prompt_tokens_details: { cached_tokens: 3 } }), hi, end, counts(0, 4), DONE),
    text: 'Hi',
    reason: 'stop',
    usage: [6, 3, 0, 4, 0],
  },
  {
    says: 'thoughts counted beside the completion and the total (Perplexity)',
    source: github('bgeneto/open-webui-cost-tracker/issues/6'),
    wire,
    body: events(hi, end, counts(108, 3_256, { reasoning_tokens: 73_248, citation_tokens: 7_299 }), DONE),
    text: 'Hi',
    reason: 'stop',
    usage: [108, 0, 0, 3_256, 73_248],
  },
  {
    says: 'thoughts counted within the completion (SGLang)',
    source: 'https://docs.sglang.ai/advanced_features/separate_reasoning.html',
    wire,
    body: events(hi, end, counts(9, 14, { reasoning_tokens: 10 }), DONE),
    text: 'Hi',
    reason: 'stop',
    usage: [9, 0, 0, 4, 10],
  },
  {
    says: 'the limit of tokens as a reason (watsonx)',
    source: 'https://cloud.ibm.com/apidocs/watsonx-ai#text-generation',
    wire,
    body: events(hi, choice({}, 'token_limit'), DONE),
    text: 'Hi',
    reason: 'length',
  },
];

export const ODD_CHAT_FORMS: readonly OddAnswer[] = [...CALLS, ...THOUGHTS, ...ENDS];
