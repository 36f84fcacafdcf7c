/** Providers that are hard to please: models that disobey a continuation, long silences, and vendors' own rules. */
import type { FinishReason, GenerationRequest } from '../../contracts/generation.ts';
import { callsOf, errorsOf, type FaultCase, type Seen, wholeAnswer } from './fault-case.ts';

const CUT_AFTER_TOKENS = 20;
const PLACES = ['name', 'river', 'harbour', 'street', 'bridge'];
const SCHEMA = {
  type: 'object',
  properties: Object.fromEntries(PLACES.map((name) => [name, { type: 'string' }])),
  required: PLACES,
  additionalProperties: false,
};
const LOOK = { name: 'look', parameters: { type: 'object', properties: { at: { type: 'string' } } } };

/** A conversation that breaks a rule of every vendor, unless it is sent as that vendor takes it. */
const AWKWARD: GenerationRequest['input'] = [
  { role: 'user', content: 'Look at both.' },
  {
    role: 'assistant',
    content: [
      { type: 'tool-call', id: 'functions.look:0', name: 'look', arguments: '' },
      { type: 'tool-call', id: `call_${'x'.repeat(90)}`, name: 'look', arguments: '{"at":"a"}' },
    ],
  },
  {
    role: 'user',
    content: [
      { type: 'text', text: 'Here is what I saw. [[sim tokens=20 delay_ms=1]]' },
      { type: 'tool-result', id: `call_${'x'.repeat(90)}`, content: 'a boat' },
      { type: 'tool-result', id: 'functions.look:0', content: '' },
    ],
  },
];

/** The wires whose models are asked to continue, and how. */
const CONTINUED = { instruct: 'simulated-chat', prefill: 'simulated-messages' } as const;
const DISOBEDIENCE = {
  'starts over': 'ignore-continuation',
  'says its last words again': 'repeat-tail',
} as const;

const disobedient = Object.entries(CONTINUED).flatMap(([strategy, provider], place) =>
  Object.entries(DISOBEDIENCE).map(([how, kind], index): FaultCase => {
    const id = `d${place}${index}`;
    return {
      name: `asked to continue by ${strategy}, the model ${how}`,
      id,
      withinMs: 15_000,
      route: [`${provider}/${id}`],
      tokens: 60,
      faults: [
        { kind: 'cut', afterTokens: CUT_AFTER_TOKENS, times: 1 },
        { kind, times: 1_000 },
      ],
      check: (seen) => [...wholeAnswer(seen), ...errorsOf(seen, 'provider_stream_cut')],
    };
  }),
);

const wires = ['simulated', 'simulated-chat', 'simulated-messages', 'simulated-google', 'simulated-cohere'];

const awkward = wires.map((provider, index): FaultCase => {
  const id = `v${index}`;
  return {
    name: `an awkward conversation keeps the rules of the vendor (${provider})`,
    id,
    withinMs: 8_000,
    route: [`${provider}/${id}`],
    faults: [],
    request: { input: AWKWARD, tools: [LOOK] },
    check: (seen) => [...endsBy(seen, 'stop'), ...callsOf(seen, `${provider}/${id}`, 1, 1)],
  };
});

const json = wires.map((provider, index): FaultCase => {
  const id = `j${index}`;
  return {
    name: `a cut answer in JSON is one value (${provider})`,
    id,
    withinMs: 10_000,
    route: [`${provider}/${id}`],
    faults: [{ kind: 'cut', afterTokens: 5, times: 1 }],
    request: { output: { name: 'place', schema: SCHEMA } },
    check: (seen) => [...endsBy(seen, 'stop'), ...isValue(seen)],
  };
});

export const HARD_UPSTREAM_CASES: readonly FaultCase[] = [
  ...disobedient,
  ...awkward,
  ...json,
  {
    name: 'a silence of 20 s with signs of life: one call',
    id: 'p01',
    withinMs: 40_000,
    route: ['simulated-messages/p01'],
    directive: '[[sim gap_at=5 gap_ms=20000 ping_ms=2000]]',
    faults: [],
    check: (seen) => [...wholeAnswer(seen), ...callsOf(seen, 'simulated-messages/p01', 1, 1)],
  },
];

function endsBy({ events }: Seen, reason: FinishReason): string[] {
  const last = events.at(-1);
  const isRight = last?.type === 'generation-end' && last.finishReason === reason;
  return isRight ? [] : [`ended with ${JSON.stringify(last)}, not by ${reason}`];
}

function isValue({ text }: Seen): string[] {
  try {
    const names = Object.keys(JSON.parse(text) as object);
    return names.join() === PLACES.join() ? [] : [`it has ${names.join()}`];
  } catch (error) {
    return [`it is no JSON: ${error instanceof Error ? error.message : String(error)}`];
  }
}
