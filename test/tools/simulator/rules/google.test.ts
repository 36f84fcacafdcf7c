import { GOOGLE_RULES, signedText } from '../../../../tools/simulator/rules/google-rules.ts';
import { signThought } from '../../../../tools/simulator/thought-signatures.ts';
import { googleWire } from '../../../../tools/simulator/wires/google-wire.ts';
import { ACCOUNT, type Body, REQUEST, testRules } from './rule-table.ts';

const path = (model: string) => ({ path: `/v1beta/models/${model}:streamGenerateContent` });
const user = (...parts: object[]) => ({ role: 'user', parts });
const model = (...parts: object[]) => ({ role: 'model', parts });
const call = (name = 'look', more: object = {}) => ({ functionCall: { name, args: { a: 1 } }, ...more });
const result = { functionResponse: { name: 'look', response: { output: 'seen' } } };
const signed = { ...call(), thoughtSignature: signThought(ACCOUNT, signedText(call())) };
const say = (more: Body = {}): Body => ({ contents: [user({ text: 'Hello.' })], ...more });
const talk = (...turns: object[]) => ({ contents: [user({ text: 'Hello.' }), ...turns] });
const config = (own: object) => say({ generationConfig: own });
const tools = (...own: object[]) => say({ tools: [{ functionDeclarations: own }] });
const inline = (mimeType: string, data = 'iVBORw0KGgo=') =>
  say({ contents: [user({ inlineData: { mimeType, data } })] });

testRules({
  rules: GOOGLE_RULES,
  base: { ...REQUEST, ...path('sim-large') },
  bodyOf: googleWire.refusal,
  accepted: [
    ['plain text', say({ systemInstruction: { parts: [{ text: 'Be short.' }] } })],
    [
      'names in the other spelling',
      { contents: [user({ text: 'a' })], generation_config: { max_output_tokens: 5 } },
    ],
    ['calls and results', talk(model(call(), call()), user(result, result))],
    ['a signed call', talk(model(signed), user(result)), path('gemini-3-pro')],
    [
      'the value in place of a signature',
      talk(model(call('look', { thoughtSignature: 'skip_thought_signature_validator' })), user(result)),
      path('gemini-3-pro'),
    ],
    ['a function', tools({ name: 'mcp.look', parametersJsonSchema: { type: 'object' } })],
    ['a schema', config({ responseMimeType: 'application/json', responseJsonSchema: { type: 'object' } })],
    ['an image', inline('image/png')],
  ],
  refused: {
    'text is well-formed Unicode': [
      ['Invalid JSON payload received', say({ contents: [user({ text: '\ud83d' })] })],
    ],
    'fields and their types': [
      ['Invalid JSON payload received. Unknown name "foo": Cannot find field.', say({ foo: 1 })],
      ['Unknown name "stop" at \'generation_config\': Cannot find field.', config({ stop: ['a'] })],
      [
        'Invalid value at \'generation_config.max_output_tokens\' (TYPE_INT32), "5"',
        config({ maxOutputTokens: '5' }),
      ],
      [
        'Unknown name "streamFunctionCallArguments"',
        say({ toolConfig: { functionCallingConfig: { streamFunctionCallArguments: true } } }),
      ],
      ['(TYPE_ENUM), "SOMETIMES"', say({ toolConfig: { functionCallingConfig: { mode: 'SOMETIMES' } } })],
    ],
    contents: [
      ['contents is not specified', say({ contents: [] })],
      ['Please use a valid role: user, model.', talk({ role: 'assistant', parts: [{ text: 'a' }] })],
      ['contents.parts must not be empty', talk(model())],
      ["required oneof field 'data' must have one initialized field", talk(model({}))],
      ["oneof field 'data' is already set", talk(model({ text: 'a', ...call() }))],
      ['single turn requests end with a user role', { contents: [model({ text: 'a' })] }],
    ],
    'calls and their responses': [
      ['comes immediately after a user turn', { contents: [model(call()), user(result)] }],
      ['number of function response parts is equal', talk(model(call(), call()), user(result))],
      ['number of function response parts is equal', talk(model(call()))],
      ['comes immediately after a function call turn', talk(user(result))],
    ],
    'thought signatures': [
      [
        'Function call is missing a thought_signature in functionCall parts.',
        talk(model(call()), user(result)),
        path('gemini-3-pro'),
      ],
      [
        'Thought signature is not valid',
        talk(model({ ...signed, thoughtSignature: 'c2ln' }), user(result)),
        path('gemini-3-pro'),
      ],
      [
        'Thought signature is not valid',
        talk(model(signed), user(result)),
        { ...path('gemini-3-pro'), apiKey: 'another' },
      ],
    ],
    functions: [
      ['Invalid function name', tools({ name: '1st' })],
      ['Duplicate function declaration found: a', tools({ name: 'a' }, { name: 'a' })],
      ['mutually exclusive', tools({ name: 'a', parameters: { type: 'OBJECT' }, parametersJsonSchema: {} })],
      [
        'Allowed function names should only be set',
        say({ toolConfig: { functionCallingConfig: { mode: 'AUTO', allowedFunctionNames: ['a'] } } }),
      ],
    ],
    'bounds of schemas': [
      [
        'Request contains an invalid argument.',
        config({
          responseMimeType: 'application/json',
          responseJsonSchema: { type: 'array', items: { type: 'array', maxItems: 500 }, maxItems: 500 },
        }),
      ],
    ],
    'references in schemas': [
      [
        "$ref '#/$defs/A' was set alongside unsupported fields",
        config({
          responseMimeType: 'application/json',
          responseJsonSchema: { type: 'array', items: { $ref: '#/$defs/A', title: 'A' } },
        }),
      ],
    ],
    'the configuration': [
      ['max_output_tokens must be positive', config({ maxOutputTokens: 0 })],
      ['temperature must be in the range', config({ temperature: 3 })],
      ['exceeds the limit of 5', config({ stopSequences: ['a', 'b', 'c', 'd', 'e', 'f'] })],
      ["only allowed with response_mime_type 'application/json'", config({ responseJsonSchema: {} })],
      [
        'only one of thinking budget and thinking level',
        config({ thinkingConfig: { thinkingBudget: 5, thinkingLevel: 'LOW' } }),
      ],
      ['The thinking budget 90000 is invalid', config({ thinkingConfig: { thinkingBudget: 90_000 } })],
      [
        'Thinking level is not supported',
        config({ thinkingConfig: { thinkingLevel: 'LOW' } }),
        path('gemini-2.5-flash'),
      ],
      [
        'Thinking level LOW is not supported',
        config({ thinkingConfig: { thinkingLevel: 'LOW' } }),
        path('gemma-4-31b-it'),
      ],
      [
        "Function calling with a response mime type: 'application/json' is unsupported",
        { ...tools({ name: 'a' }), generationConfig: { responseMimeType: 'application/json' } },
        path('gemini-2.5-flash'),
      ],
    ],
    media: [
      ['Unsupported MIME type: image/gif', inline('image/gif')],
      ['Base64 decoding failed', inline('image/png', '!!!')],
    ],
  },
});
