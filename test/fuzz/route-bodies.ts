/** What each route takes as its body: by the OpenAPI document, and of other vendors' formats by their schemas. */
import fc from 'fast-check';
import { z } from 'zod';
import { createOpenApiDocument } from '../../api/openapi/create-document.ts';
import { uiChatSchema } from '../../api/wires/ai-sdk-ui/request.ts';
import { countTokensSchema, messagesSchema } from '../../api/wires/anthropic-messages/request.ts';
import { chatCompletionSchema } from '../../api/wires/openai-chat/request.ts';
import { embeddingsSchema } from '../../api/wires/openai-embeddings/request.ts';
import { responseCreateSchema } from '../../api/wires/openai-responses/request.ts';
import type { AppRoute } from './app-routes.ts';
import { type Definitions, fromSchema, type JsonSchema } from './from-schema.ts';

const written = (schema: z.ZodType) =>
  z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as unknown as JsonSchema;

/** The routes that the OpenAPI document does not have. null: it takes no body. */
const UNDOCUMENTED: Readonly<Record<string, z.ZodType | null>> = {
  'POST /v1/responses': responseCreateSchema,
  'POST /v1/responses/:id/cancel': null,
  'POST /v1/chat/completions': chatCompletionSchema,
  'POST /v1/embeddings': embeddingsSchema,
  'POST /v1/messages': messagesSchema,
  'POST /v1/messages/count_tokens': countTokensSchema,
  'POST /v1/ui/chat': uiChatSchema,
  // Temporal's format and a form of a page of ours.
  'POST /v1/codec/decode': z.object({
    payloads: z.array(z.object({ metadata: z.record(z.string(), z.base64()), data: z.base64() })),
  }),
  'POST /v1/codec/session': z.object({ key: z.string() }),
};

interface Operation {
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly schema: JsonSchema;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>> };
}

const document = createOpenApiDocument();
const definitions = document.components.schemas as unknown as Definitions;
const paths = document.paths as unknown as Readonly<Record<string, Readonly<Record<string, Operation>>>>;

function operationOf({ method, path }: AppRoute): Operation | undefined {
  return paths[path.replaceAll(/[:*](\w+)/g, '{$1}')]?.[method.toLowerCase()];
}

/** Short answers of the simulated provider: what is tried here is the request. */
const questions = fc.constantFrom('Hi. [[sim tokens=3 delay_ms=0]]', 'Why? [[sim tokens=1 delay_ms=0]]');
const MODELS = fc.constantFrom('unbroken', 'simulated/sim-large', 'unbroken/default');

/** Requests that lead far: made by hand, because a schema knows no good model and no good question. */
const DEEP: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  'POST /v1/generations': fc.record(
    {
      input: questions,
      maxOutputTokens: fc.constantFrom(1, 16),
      stream: fc.boolean(),
      metadata: fc.constant({ a: 'b' }),
    },
    { requiredKeys: ['input'] },
  ),
  'POST /v1/responses': fc.record(
    {
      model: MODELS,
      input: questions,
      stream: fc.boolean(),
      store: fc.boolean(),
      metadata: fc.constant({ a: 'b' }),
    },
    { requiredKeys: ['input'] },
  ),
  'POST /v1/chat/completions': fc.record(
    {
      model: MODELS,
      messages: turns(),
      stream: fc.boolean(),
      temperature: fc.constant(0),
      user: fc.constant('ann'),
    },
    { requiredKeys: ['model', 'messages'] },
  ),
  'POST /v1/messages': fc.record(
    { model: MODELS, messages: turns(), max_tokens: fc.constant(16), stream: fc.boolean() },
    { requiredKeys: ['model', 'messages', 'max_tokens'] },
  ),
  'POST /v1/messages/count_tokens': fc.record({ model: MODELS, messages: turns() }),
  'POST /v1/embeddings': fc.record({
    model: fc.constant('simulated/sim-embed'),
    input: fc.oneof(questions, fc.array(questions, { minLength: 1, maxLength: 3 })),
  }),
  'POST /v1/ui/chat': fc.record({
    id: fc.constantFrom('chat-1', 'chat-2'),
    messages: fc
      .record({ id: fc.uuid(), role: fc.constant('user'), parts: textParts() })
      .map((message) => [message]),
  }),
};

/** Bodies of other routes that nothing is wrong with. */
const GOOD: Readonly<Record<string, readonly object[]>> = {
  'POST /v1/generations': [
    { prompt: { name: 'fuzz-prompt' } },
    { input: [{ role: 'user', content: 'Hi. [[sim tokens=2 delay_ms=0]]' }] },
  ],
  'POST /v1/routes/explain': [
    { input: 'Hi', maxOutputTokens: 5 },
    { input: 'Hi', model: 'simulated/sim-large' },
  ],
  'POST /v1/keys': [
    { user: 'ann', expiresInMs: 60_000, name: 'x' },
    { user: 'ann', scopes: ['generate'], team: 't' },
  ],
  'POST /v1/keys/:id/rotate': [{ overlapMs: 0 }, {}],
  'POST /v1/tickets': [{}, { reconnects: false }],
  'POST /v1/generations/:id/cap': [{ maxOutputTokens: 10 }],
  'POST /v1/generations/:id/continue': [{ maxOutputTokens: 2 }, {}],
  'POST /v1/generations/:id/feedback': [{ score: 1, comment: 'good' }],
  'PUT /v1/budgets/limits': [{ per: 'user', id: 'ann', window: 'day', amount: 1_000_000 }],
  'POST /v1/budgets/reconcile': [{}],
  'POST /v1/prompts/:name/versions': [
    { messages: [{ role: 'user', content: 'Say {{word}}' }], variables: { word: {} } },
  ],
  'PUT /v1/prompts/:name/labels/:label': [{ version: 1 }],
};

function turns(): fc.Arbitrary<unknown> {
  return questions.map((content) => [{ role: 'user', content }]);
}

function textParts(): fc.Arbitrary<unknown> {
  return questions.map((text) => [{ type: 'text', text }]);
}

/** Good bodies of a route; null where it takes none. @throws where nothing says what it takes. */
export function goodBodies(route: AppRoute): fc.Arbitrary<unknown> | null {
  const name = `${route.method} ${route.path}`;
  const schema = bodySchemaOf(name, route);
  if (schema === null) return null;
  const made = fromSchema(schema, definitions);
  const deep = [
    ...(DEEP[name] === undefined ? [] : [DEEP[name]]),
    ...(GOOD[name] ?? []).map((value) => fc.constant(value)),
  ];
  return deep.length === 0
    ? made
    : fc.oneof({ arbitrary: fc.oneof(...deep), weight: 4 }, { arbitrary: made, weight: 1 });
}

function bodySchemaOf(name: string, route: AppRoute): JsonSchema | null {
  const operation = operationOf(route);
  if (operation !== undefined) return operation.requestBody?.content['application/json']?.schema ?? null;
  const own = UNDOCUMENTED[name];
  if (own !== undefined) return own === null ? null : written(own);
  if (route.method === 'GET' || route.method === 'DELETE') return null;
  throw new Error(`${name} is not in the OpenAPI document; say in test/fuzz/route-bodies.ts what it takes`);
}

/** Parameters of the query: those of the route with values that it takes, and all with others. */
export function queriesOf(route: AppRoute, bad: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const own = (operationOf(route)?.parameters ?? []).filter((parameter) => parameter.in === 'query');
  const good = own.map(({ name, schema }) =>
    fromSchema(schema, definitions).map(
      (value) => `${name}=${encodeURIComponent(String(value).toWellFormed())}`,
    ),
  );
  const names = [...own.map(({ name }) => name), ...own.map(({ name }) => name), ...OTHER_QUERIES];
  const odd = fc.tuple(fc.constantFrom(...names), bad).map(([name, value]) => `${name}=${value}`);
  const pairs = [
    fc.array(odd, { minLength: 1, maxLength: 4 }),
    ...(good.length === 0
      ? []
      : [
          fc.tuple(...good),
          fc.tuple(...good).chain((all) => fc.subarray(all)),
          fc.tuple(fc.oneof(...good), odd),
        ]),
  ];
  const query = fc
    .oneof(...(pairs as fc.Arbitrary<string[]>[]))
    .map((all) => (all.length === 0 ? '' : `?${all.join('&')}`));
  return fc.oneof({ arbitrary: fc.constant(''), weight: 2 }, { arbitrary: query, weight: 2 });
}

const OTHER_QUERIES = [
  'after',
  'at',
  'limit',
  'order',
  'until_ms',
  'stream',
  'starting_after',
  'tenant',
  'baseline',
  'user',
  'cursor',
  '__proto__',
  'constructor',
  'a[b][c]',
];
