/** Tool calls of servers that speak chat completions nearly. */
import { DONE, events, github, type OddAnswer } from './odd-answer.ts';
import { callPart, choice, end, hi, run, CHAT as wire } from './odd-chunks.ts';

const called = (...tool_calls: readonly object[]) => choice({ tool_calls });
const calledEnd = choice({}, 'tool_calls');
const whole = JSON.stringify(run);

export const ODD_TOOL_CALLS: readonly OddAnswer[] = [
  {
    says: 'arguments as an object',
    source: github('can1357/oh-my-pi/pull/1779'),
    wire,
    body: events(called(callPart(0, 'a', { name: 'bash', arguments: run })), calledEnd, DONE),
    calls: [['bash', 'a', run]],
    reason: 'tool-calls',
  },
  {
    says: 'the name behind the first arguments',
    source: github('vercel/ai/issues/14722'),
    wire,
    body: events(
      called(callPart(0, 'a', { arguments: '{"command"' })),
      called(callPart(0, undefined, { name: 'bash', arguments: ': "ls -la"}' })),
      calledEnd,
      DONE,
    ),
    calls: [['bash', 'a', run]],
    reason: 'tool-calls',
  },
  {
    says: 'an empty name first',
    source: github('vercel/ai/pull/16507'),
    wire,
    body: events(
      called(callPart(0, 'a', { name: '', arguments: '' })),
      called(callPart(0, 'a', { name: 'bash', arguments: whole })),
      calledEnd,
      DONE,
    ),
    calls: [['bash', 'a', run]],
    reason: 'tool-calls',
  },
  {
    says: 'a call of nothing beside text',
    source: github('jekalmin/extended_openai_conversation/pull/365'),
    wire,
    body: events(hi, called(callPart(0, '', { name: '', arguments: '' })), end, DONE),
    text: 'Hi',
    reason: 'stop',
  },
  {
    says: 'arguments without any name',
    source: github('sgl-project/sglang/issues/4700'),
    wire,
    body: events(called(callPart(0, 'a', { arguments: whole })), calledEnd, DONE),
    code: 'provider_malformed',
  },
  {
    says: 'an empty object before the arguments',
    source: github('ogx-ai/ogx/pull/5462'),
    wire,
    body: events(
      called(callPart(0, 'a', { name: 'bash', arguments: '{}' })),
      called(callPart(0, undefined, { arguments: whole })),
      calledEnd,
      DONE,
    ),
    calls: [['bash', 'a', run]],
    reason: 'tool-calls',
  },
  {
    says: 'only an empty object',
    source: github('ogx-ai/ogx/pull/5462'),
    wire,
    body: events(called(callPart(0, 'a', { name: 'bash', arguments: '{}' })), calledEnd, DONE),
    calls: [['bash', 'a', {}]],
    reason: 'tool-calls',
  },
  {
    says: 'all arguments once more at the end',
    source: github('lidge-jun/opencodex/issues/361'),
    wire,
    body: events(
      called(callPart(0, 'a', { name: 'bash', arguments: '' })),
      called(callPart(0, undefined, { arguments: '{"command": ' })),
      called(callPart(0, undefined, { arguments: '"ls -la"}' })),
      called(callPart(0, 'a', { name: 'bash', arguments: whole })),
      calledEnd,
      DONE,
    ),
    calls: [['bash', 'a', run]],
    reason: 'tool-calls',
  },
  {
    says: 'all arguments so far in every part',
    source: github('NousResearch/hermes-agent/pull/35718'),
    wire,
    body: events(
      called(callPart(0, 'a', { name: 'bash', arguments: '{"com' })),
      called(callPart(0, undefined, { arguments: '{"command":"ls' })),
      called(callPart(0, undefined, { arguments: whole })),
      calledEnd,
      DONE,
    ),
    calls: [['bash', 'a', run]],
    reason: 'tool-calls',
  },
  {
    says: 'several calls under one index, id and name',
    source: github('diegosouzapw/OmniRoute/pull/11043'),
    wire,
    body: events(
      called(callPart(0, 'a', { name: 'bash', arguments: whole })),
      called(callPart(0, 'a', { name: 'bash', arguments: '{"command":"pwd"}' })),
      calledEnd,
      DONE,
    ),
    calls: [
      ['bash', 'a', run],
      ['bash', 'a_2', { command: 'pwd' }],
    ],
    reason: 'tool-calls',
  },
  {
    says: 'an id that an earlier answer had',
    source: github('NVIDIA-NeMo/Switchyard/issues/502'),
    wire,
    before: [
      {
        role: 'assistant',
        content: [{ type: 'tool-call', id: 'call_0', name: 'bash', arguments: '{}' }],
      },
      { role: 'user', content: [{ type: 'tool-result', id: 'call_0', content: 'done' }] },
    ],
    body: events(called(callPart(0, 'call_0', { name: 'bash', arguments: whole })), calledEnd, DONE),
    calls: [['bash', 'call_0_2', run]],
    reason: 'tool-calls',
  },
  {
    says: 'one id for two calls of an answer',
    source: github('openclaw/openclaw/pull/47136'),
    wire,
    body: events(
      called(
        callPart(0, 'edit:22', { name: 'bash', arguments: whole }),
        callPart(1, 'edit:22', { name: 'bash', arguments: '{"command":"pwd"}' }),
      ),
      calledEnd,
      DONE,
    ),
    calls: [
      ['bash', 'edit:22', run],
      ['bash', 'edit:22_2', { command: 'pwd' }],
    ],
    reason: 'tool-calls',
  },
  {
    says: 'no ids, neither of the calls nor of the chunks',
    source: github('brainlid/langchain/pull/619'),
    wire,
    body: events(
      { ...called(callPart(0, '', { name: 'bash', arguments: whole })), id: undefined },
      calledEnd,
      DONE,
    ),
    calls: [['bash', /^call_[0-9a-f]{32}$/, run]],
    reason: 'tool-calls',
  },
  {
    says: 'tool_calls as the reason of an answer without any',
    source: github('Kilo-Org/kilocode/pull/7773'),
    wire,
    body: events(hi, calledEnd, DONE),
    text: 'Hi',
    reason: 'stop',
  },
];
