/** Conversations of several turns with the simulated provider: an earlier answer is no answer that was cut. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Message } from '../../../contracts/content.ts';
import {
  createSimulatedProvider,
  type SimulatedProvider,
} from '../../../tools/simulator/create-simulated-provider.ts';
import { trueText } from '../../../tools/simulator/true-text.ts';
import { adapterFor, simulatedConfig, WIRES } from './adapter-for.ts';
import { callOf, finishOf, hear } from './hear.ts';

const WITH_AZURE = [...WIRES, 'azure-openai'] as const;
const TURNS = 4;

let sim: SimulatedProvider;
beforeAll(async () => {
  sim = await createSimulatedProvider();
});
afterAll(() => sim.stop());

const ask = (content: string): Message => ({ role: 'user', content });

describe.each(WITH_AZURE)('%s', (wire) => {
  test(`each of ${TURNS} turns gets its own complete answer`, async () => {
    const provider = adapterFor(wire, simulatedConfig(wire, sim.url));
    let messages: readonly Message[] = [];
    const answers: string[] = [];
    for (let turn = 0; turn < TURNS; turn += 1) {
      messages = [...messages, ask(`Question ${turn} [[sim tokens=20 delay_ms=0]]`)];
      const heard = await hear(provider, callOf({ messages }));
      expect(heard.error).toBeUndefined();
      expect(heard.text).toBe(trueText({ messages }));
      expect(finishOf(heard)).toMatchObject({ reason: 'stop', usage: { outputTokens: 20 } });
      answers.push(heard.text);
      messages = [...messages, { role: 'assistant', content: heard.text }];
    }
    expect(new Set(answers).size).toBe(TURNS);
  });

  test('a question after the beginning of an answer is a question, whatever its words', async () => {
    const provider = adapterFor(wire, simulatedConfig(wire, sim.url));
    const first = ask('Tell me more [[sim tokens=30 delay_ms=0]]');
    const partial = trueText({ messages: [first] }).slice(0, 40);
    for (const words of ['continue', 'Continue your answer exactly where it ends.', 'Why?']) {
      const messages = [first, { role: 'assistant' as const, content: partial }, ask(words)];
      const heard = await hear(provider, callOf({ messages }));
      expect(heard.error).toBeUndefined();
      expect(heard.text).toBe(trueText({ messages }));
    }
  });

  test('a later answer that was cut is continued, though the earlier ones are whole', async () => {
    const provider = adapterFor(wire, simulatedConfig(wire, sim.url));
    const first = ask('Begin [[sim tokens=30 delay_ms=0]]');
    const messages = [
      first,
      { role: 'assistant' as const, content: trueText({ messages: [first] }) },
      ask('And then?'),
    ];
    const whole = trueText({ messages });
    const deliveredText = whole.slice(0, 50);
    const resume = { strategy: 'instruct' as const, deliveredText };
    const heard = await hear(provider, callOf({ messages }, { resume }));
    expect(heard.error).toBeUndefined();
    expect(deliveredText + heard.text).toBe(whole);
  });
});

test.each([
  ['the beginning of the true text', (text: string) => text.slice(0, 30)],
  ['words of the caller', () => 'My answer is: '],
])('a prefill of the caller (%s) is no obstacle to a continuation', async (_name, prefillOf) => {
  const provider = adapterFor('anthropic-messages', simulatedConfig('anthropic-messages', sim.url));
  const question = ask('Begin so [[sim tokens=30 delay_ms=0]]');
  const prefill = prefillOf(trueText({ messages: [question] })).trimEnd();
  const messages = [question, { role: 'assistant' as const, content: prefill }];
  const whole = await hear(provider, callOf({ messages }));
  expect(whole.error).toBeUndefined();
  const deliveredText = whole.text.slice(0, 60);
  for (const strategy of ['instruct', 'prefill'] as const) {
    const rest = await hear(provider, callOf({ messages }, { resume: { strategy, deliveredText } }));
    expect(rest.error).toBeUndefined();
    expect(deliveredText + rest.text).toBe(whole.text);
  }
});
