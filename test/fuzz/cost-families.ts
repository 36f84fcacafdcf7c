/**
 * Inputs that grow: each family makes one of any size. Those by hand are of kinds that once stopped a process for
 * seconds.
 */
import { gzipSync } from 'node:zlib';

/** One or more requests that are sent one after the other. */
export interface CostInput {
  readonly requests: readonly CostRequest[];
  /** Frames for a socket, in place of requests. */
  readonly frames?: { readonly path: string; readonly texts: readonly string[] };
}

interface CostRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer | null;
}

export interface CostFamily {
  readonly name: string;
  /** The sizes that are tried, in this order, until one costs too much. */
  readonly sizes: readonly number[];
  make(size: number): CostInput;
}

export const BODY_BYTES = 8 * 1024 * 1024;
const JSON_TYPE = ['content-type', 'application/json'] as const;
const SHORT = '[[sim tokens=3 delay_ms=0]]';
/** Long enough for the usage to be estimated while it runs. */
const LASTING = '[[sim tokens=60 delay_ms=25]]';
const MODEL = 'simulated/sim-large';

export function post(target: string, body: string, method = 'POST'): CostRequest {
  return { method, target, headers: [JSON_TYPE], body: Buffer.from(body) };
}

function get(target: string, headers: CostRequest['headers'] = []): CostRequest {
  return { method: 'GET', target, headers, body: null };
}

/** n, 2n, 4n ... */
export function growing(least: number, most: number, factor = 2): number[] {
  const sizes: number[] = [];
  for (let size = least; size < most; size *= factor) sizes.push(size);
  return [...sizes, most];
}

const single = (request: CostRequest): CostInput => ({ requests: [request] });
const repeated = (part: string, size: number, between = ',') => Array(size).fill(part).join(between);

/** Runs that a tokenizer, a regular expression or a verifier may take long for. */
export const ALPHABETS: readonly string[] = [
  '東',
  '日本語の文章',
  'ภาษาไทย',
  'a',
  ' ',
  '\n',
  '!',
  '-',
  'ACGT',
  '1 ',
  'a@',
  '[',
  '"',
  '\\',
  '👎',
  '\u0301',
  '```\n',
  'def ',
  '. ',
  'http://a',
  '\u200b',
  'é',
  '़क',
  'word ',
  'aB3',
  '=',
  '\t\r\n',
  '{{x}}',
];

/** Arrays of the wires, and a body that is small on the wire. */
const BODIES: readonly CostFamily[] = [
  ...[
    ['/v1/responses', '{"model":"M","input":[', '{}', ']}'],
    ['/v1/chat/completions', '{"model":"M","messages":[', '{}', ']}'],
    ['/v1/ui/chat', '{"id":"c","messages":[{"id":"m","role":"user","parts":[', '{}', ']}]}'],
    ['/v1/messages', '{"model":"M","max_tokens":1,"messages":[', '{}', ']}'],
    ['/v1/embeddings', '{"model":"simulated/sim-embed","input":[', '[]', ']}'],
    ['/v1/embeddings', '{"model":"simulated/sim-embed","input":[', '1', ']}'],
    ['/v1/embeddings', '{"model":"simulated/sim-embed","input":[', '"a"', ']}'],
  ].map(
    ([path = '', before = '', part = '', after = '']): CostFamily => ({
      name: `POST ${path} with n of ${part}`,
      sizes: growing(1_000, Math.floor(BODY_BYTES / (part.length + 1)) - 100, 4),
      make: (size) => single(post(path, `${before.replace('M', MODEL)}${repeated(part, size)}${after}`)),
    }),
  ),
  {
    name: 'POST /v1/generations with n keys of metadata',
    sizes: growing(1_000, 500_000, 4),
    make: (size) => {
      const keys = Array.from({ length: size }, (_, index) => `"k${index}":""`).join();
      return single(post('/v1/generations', `{"input":"${SHORT}","metadata":{${keys}}}`));
    },
  },
  {
    name: 'POST /v1/responses with n of {} as gzip',
    sizes: growing(10_000, 2_600_000, 4),
    make: (size) => {
      const body = gzipSync(`{"model":"${MODEL}","input":[${repeated('{}', size)}]}`);
      const headers = [JSON_TYPE, ['content-encoding', 'gzip'] as const];
      return single({ method: 'POST', target: '/v1/responses', headers, body });
    },
  },
  {
    name: 'POST /v1/generations nested n deep',
    sizes: growing(50, 4_000_000, 8),
    make: (size) => single(post('/v1/generations', `{"input":${'['.repeat(size)}${']'.repeat(size)}}`)),
  },
];

/** Text that is counted, classified or composed by the API. */
function textFamilies(alphabets: readonly string[]): CostFamily[] {
  const sizes = growing(8_000, 1_000_000, 4);
  return alphabets.flatMap((alphabet): CostFamily[] => {
    const text = (size: number) => alphabet.repeat(Math.ceil(size / alphabet.length));
    const json = JSON.stringify(alphabet);
    return [
      {
        name: `POST /v1/messages/count_tokens with n characters of ${json}`,
        sizes,
        make: (size) =>
          single(
            post(
              '/v1/messages/count_tokens',
              JSON.stringify({ model: MODEL, messages: [{ role: 'user', content: text(size) }] }),
            ),
          ),
      },
      {
        name: `POST /v1/embeddings with n characters of ${json}`,
        sizes,
        make: (size) =>
          single(post('/v1/embeddings', JSON.stringify({ model: 'simulated/sim-embed', input: text(size) }))),
      },
      {
        name: `POST /v1/generations with n characters of ${json}`,
        sizes,
        make: (size) =>
          single(
            post(
              '/v1/generations',
              JSON.stringify({ input: `${text(size)}${LASTING}`, cache: 'off', maxOutputTokens: 100 }),
            ),
          ),
      },
      {
        name: `POST /v1/generations, compressed, with n characters of ${json}`,
        sizes,
        make: (size) =>
          single(
            post(
              '/v1/generations',
              JSON.stringify({
                input: [
                  { role: 'user', content: text(size) },
                  { role: 'assistant', content: 'Yes.' },
                  { role: 'user', content: `Why? ${LASTING}` },
                ],
                cache: 'off',
                maxOutputTokens: 100,
                compression: { keep: 0.5 },
              }),
            ),
          ),
      },
    ];
  });
}

/** Prompts that one signature has, so that each is compared with all before it. */
const LOOK_UPS: readonly CostFamily[] = [
  ['+', ' alpha beta '],
  ['1 ', ' alpha beta '],
  ['a@', ' x '],
  ['word ', ' not '],
  ['東', ' 京 '],
].map(
  ([filler = '', middle = '']): CostFamily => ({
    name: `look-ups of ${JSON.stringify(filler)} around ${JSON.stringify(middle)}, n characters`,
    sizes: growing(500, 3_900),
    make: (size) => ({
      requests: Array.from({ length: 8 }, (_, place) => {
        const before = Math.floor((size * (place + 1)) / 10 / filler.length);
        const after = Math.floor(size / filler.length) - before;
        const input = `${filler.repeat(before)}${middle}${filler.repeat(after)}`;
        return post('/v1/generations', JSON.stringify({ input, cache: 'on' }));
      }),
    }),
  }),
);

/** Placeholders times the length of what is put in. The prompts are made before: see `PROMPTS`. */
export const PROMPTS: readonly number[] = [10, 200, 4_000, 20_000];
export const promptName = (placeholders: number) => `cost-${placeholders}`;
const TEMPLATES: readonly CostFamily[] = PROMPTS.map((placeholders) => ({
  name: `a template with ${placeholders} placeholders, n characters for each`,
  sizes: growing(20, 20_000, 4),
  make: (size) =>
    single(
      post(
        '/v1/generations',
        JSON.stringify({
          prompt: { name: promptName(placeholders), version: 1, variables: { x: 'y'.repeat(size) } },
          cache: 'off',
          maxOutputTokens: 8,
        }),
      ),
    ),
}));

const HEADS: readonly CostFamily[] = [
  ...[
    'cookie',
    'authorization',
    'x-unbroken-cache',
    'accept-encoding',
    'traceparent',
    'baggage',
    'content-type',
  ].map(
    (header): CostFamily => ({
      name: `GET /v1/models with n characters of ${header}`,
      sizes: growing(1_000, 15_000),
      make: (size) => single(get('/v1/models', [[header, 'a=;, '.repeat(size / 5)]])),
    }),
  ),
  {
    name: 'GET /v1/generations with n parameters',
    sizes: growing(500, 4_000),
    make: (size) => single(get(`/v1/generations?${repeated('a=1', size, '&')}`)),
  },
];

const FRAMES: readonly CostFamily[] = [
  [
    '/v1/responses',
    'steer, nested',
    '{"type":"response.steer","previous_response_id":"x","input":',
    '[',
    ']',
    '}',
  ],
  ['/v1/responses', 'create', '{"type":"response.create","model":"M","input":[', '{},', '', '{}]}'],
  [
    '/v1/responses',
    'create, not generated',
    '{"type":"response.create","generate":false,"model":"M","input":"',
    'x',
    '',
    '"}',
  ],
  [
    '/v1/responses',
    'create, not generated, with n messages',
    '{"type":"response.create","generate":false,"model":"M","input":[',
    '{"role":"user","content":"x"},',
    '',
    '{"role":"user","content":"x"}]}',
  ],
  ['/v1/stream', 'nested', '{"type":"subscribe","generationId":', '[', ']', '}'],
  ['/v1/stream', 'long', '{"type":"subscribe","generationId":"', 'x', '', '"}'],
].map(
  ([path = '', what = '', before = '', open = '', close = '', after = '']): CostFamily => ({
    name: `a frame for ${path}: ${what}`,
    sizes: growing(1_000, Math.floor((BODY_BYTES - 200) / (open.length + close.length)), 4),
    make: (size) => ({
      requests: [],
      frames: {
        path,
        texts: [`${before.replace('M', MODEL)}${open.repeat(size)}${close.repeat(size)}${after}`],
      },
    }),
  }),
);

/** What is asked again and again of an answer that is long. */
export function readFamilies(ids: readonly string[]): CostFamily[] {
  const [id = ''] = ids;
  const response = id.replace(/^gen_/, 'resp_');
  return [
    '/v1/generations?limit=100',
    `/v1/generations/${id}`,
    `/v1/generations/${id}/events`,
    `/v1/responses/${response}`,
    `/v1/responses/${response}?stream=true`,
    `/v1/responses/${response}/input_items`,
  ].map((target) => ({
    name: `GET ${target.replace(id, ':id').replace(response, ':id')} of long answers`,
    sizes: [1],
    make: () => single(get(target)),
  }));
}

/** @param alphabets those that are tried in this run. */
export function familiesByHand(alphabets: readonly string[]): CostFamily[] {
  return [...BODIES, ...FRAMES, ...TEMPLATES, ...LOOK_UPS, ...HEADS, ...textFamilies(alphabets)];
}
