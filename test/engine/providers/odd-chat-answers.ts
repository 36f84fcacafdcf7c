/** Odd chat completions: ends, forms and names of servers that speak the format nearly. */
import { DONE, events, github, JSON_TYPE, type OddAnswer } from './odd-answer.ts';
import { callPart, choice, end, hi, run, CHAT as wire } from './odd-chunks.ts';

const usage = { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 };
const counted = [9, 0, 0, 4, 0] as const;
const whole = JSON.stringify(run);

const ENDS: readonly OddAnswer[] = [
  {
    says: 'the last event, without a reason',
    source: github('can1357/oh-my-pi/issues/9433'),
    wire,
    body: events(hi, choice({}), DONE),
    text: 'Hi',
    reason: 'stop',
  },
  {
    says: 'the last event, without a reason, in the middle of a call',
    source: github('can1357/oh-my-pi/issues/9433'),
    wire,
    body: events(choice({ tool_calls: [callPart(0, 'a', { name: 'bash', arguments: '{"com' })] }), DONE),
    code: 'provider_stream_cut',
  },
  {
    says: 'an empty reason in every chunk',
    source: github('ollama/ollama/issues/4357'),
    wire,
    body: events(
      choice({ content: 'H' }, ''),
      choice({ content: 'i' }, ''),
      choice({}, 'length'),
      choice({}, ''),
    ),
    text: 'Hi',
    reason: 'length',
  },
  {
    says: "a reason of Gemini's for a broken call",
    source: github('coder/coder/pull/28470'),
    wire,
    body: events(choice({ content: 'x' }), choice({}, 'function_call_filter: MALFORMED_FUNCTION_CALL'), DONE),
    text: 'x',
    code: 'provider_malformed',
  },
  {
    says: "a reason of Gemini's for a broken call, behind a usual one",
    source: github('vellum-ai/vellum-assistant/pull/43134'),
    wire,
    body: events({
      choices: [
        {
          delta: { content: '}}' },
          finish_reason: 'stop',
          native_finish_reason: 'MALFORMED_FUNCTION_CALL',
        },
      ],
    }),
    text: '}}',
    code: 'provider_malformed',
  },
  {
    says: 'an empty reason, and a connection that ends',
    source: github('adolfousier/opencrabs/pull/1499'),
    wire,
    body: events(choice({ content: 'Hi' }, ''), choice({}, '')),
    text: 'Hi',
    code: 'provider_stream_cut',
  },
];

const FORMS: readonly OddAnswer[] = [
  {
    says: 'a whole answer as JSON',
    source: github('diegosouzapw/OmniRoute/pull/3108'),
    wire,
    type: JSON_TYPE,
    body: JSON.stringify({
      id: 'chatcmpl-1',
      object: 'chat.completion',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: 'Hi',
            reasoning_content: 'Hm.',
            tool_calls: [callPart(undefined, 'a', { name: 'bash', arguments: whole })],
          },
          finish_reason: 'tool_calls',
        },
      ],
      usage,
    }),
    text: 'Hi',
    reasoning: 'Hm.',
    calls: [['bash', 'a', run]],
    reason: 'tool-calls',
    usage: counted,
  },
  {
    says: 'a whole answer as JSON under the name of a stream',
    source: github('nashsu/llm_wiki/issues/619'),
    wire,
    body: `\n${JSON.stringify({ choices: [{ message: { content: 'Hi' }, finish_reason: 'stop' }] })}`,
    text: 'Hi',
    reason: 'stop',
  },
  {
    says: 'a whole message in an event',
    source: github('perplexityai/api-discussion/issues/209'),
    wire,
    body: events({ choices: [{ message: { content: 'Hi' }, finish_reason: 'stop' }] }, DONE),
    text: 'Hi',
    reason: 'stop',
  },
  {
    says: 'the message so far beside each delta',
    source: github('perplexityai/api-discussion/issues/209'),
    wire,
    body: events(
      { choices: [{ delta: { content: 'H' }, message: { content: 'H' } }] },
      { choices: [{ delta: { content: 'i' }, message: { content: 'Hi' } }] },
      { object: 'chat.completion.done', choices: [{ message: { content: 'Hi' }, finish_reason: 'stop' }] },
    ),
    text: 'Hi',
    reason: 'stop',
  },
  {
    says: 'a stream that its server calls JSON',
    source: github('openclaw/openclaw/pull/97454'),
    wire,
    type: JSON_TYPE,
    body: `: ping\n\n${events(hi, end, DONE)}`,
    text: 'Hi',
    reason: 'stop',
  },
  {
    says: 'empty data to keep the connection open',
    source: github('netease-lcap/wave-agent/pull/1326'),
    wire,
    body: `data:\n\ndata: \n\nretry: 3000\n\n${events(hi)}event: ping\ndata: ping\n\n${events(end, `${DONE} `)}`,
    text: 'Hi',
    reason: 'stop',
  },
  {
    says: 'no blank line between events',
    source: github('nashsu/llm_wiki/issues/619'),
    wire,
    body: events(hi, end).replaceAll('\n\n', '\n'),
    text: 'Hi',
    reason: 'stop',
  },
  {
    says: 'a byte order mark, bare carriage returns, a comment within an event, and bytes behind the end',
    source: github('envoyproxy/ai-gateway/pull/2155'),
    wire,
    body: `\uFEFF: hello\r${events(hi, end, DONE).replaceAll('\n', '\r').replace('data: ', ': x\rdata:')}<html>`,
    text: 'Hi',
    reason: 'stop',
  },
  {
    says: 'a web page',
    source: github('BerriAI/litellm/pull/22085'),
    wire,
    type: 'text/html',
    body: '<!doctype html><html><head><title>Welcome</title></head></html>',
    code: 'provider_connect_failed',
    words: 'check its base URL',
  },
  {
    says: 'reasoning under the second of two names',
    source: github('open-webui/open-webui/issues/26072'),
    wire,
    body: events(choice({ reasoning_content: '', reasoning: 'Hm.' }), choice({ thinking: ' So.' }), hi, end),
    text: 'Hi',
    reasoning: 'Hm. So.',
    reason: 'stop',
  },
  {
    says: 'reasoning in details alone',
    source: github('open-webui/open-webui/issues/26072'),
    wire,
    body: events(
      choice({ reasoning_details: [{ type: 'reasoning.text', text: 'Hm.', index: 0 }] }),
      choice({ content: [{ type: 'reasoning', summary: [{ type: 'summary_text', text: 'So.' }] }] }),
      choice({ content: [{ type: 'text', text: 'Hi' }] }),
      end,
    ),
    text: 'Hi',
    reasoning: 'Hm.So.',
    reason: 'stop',
  },
  {
    says: 'usage in the choice',
    source: github('earendil-works/pi/issues/2017'),
    wire,
    body: events(hi, { choices: [{ index: 0, delta: {}, finish_reason: 'stop', usage }] }, DONE),
    text: 'Hi',
    reason: 'stop',
    usage: counted,
  },
  {
    says: 'what was cached under another name, and 0 under the usual one',
    source: github('ithtelab/workbuddy-manager/issues/39'),
    wire,
    body: events(hi, end, {
      choices: [],
      usage: {
        ...usage,
        prompt_cache_hit_tokens: 3,
        cache_creation_input_tokens: '2',
        prompt_tokens_details: { cached_tokens: 0 },
      },
    }),
    text: 'Hi',
    reason: 'stop',
    usage: [4, 3, 2, 4, 0],
  },
];

export const ODD_CHAT_ANSWERS: readonly OddAnswer[] = [...ENDS, ...FORMS];
