/**
 * Fields and betas that a host of this format does not know: clients send what Anthropic's own API has, and others
 * (Vertex AI, Bedrock, gateways, compatible servers) refuse the whole request for one name. A refusal names it. Where
 * the answer is as valid without, the request leaves once more without it; nothing is billed for one that is refused.
 */
import { isJsonObject } from '../../../contracts/json.ts';
import { type FieldPlace, isHint } from '../../models/native-fields.ts';
import { badRequestWords } from '../http-errors.ts';
import { withMarkAtEnd } from './cache-breakpoints.ts';

type Fields = Record<string, unknown>;

interface Refusable {
  readonly body: object;
  readonly headers: Record<string, string>;
}

const EXTRA = /(?<![\w.])([\w.]+): Extra inputs are not permitted/g;
const BETAS = /Unexpected value\(s\) (.+?) for the `anthropic-beta` header|invalid beta flag/i;

const OF_REQUEST: ReadonlySet<string> = new Set([
  'context_management',
  'diagnostics',
  'service_tier',
  'inference_geo',
  'speed',
  'metadata',
]);
const OF_TOOLS: ReadonlySet<string> = new Set([
  'eager_input_streaming',
  'defer_loading',
  'input_examples',
  'strict',
]);
const OF_MARKS: ReadonlySet<string> = new Set(['scope', 'ttl']);
/** What clients send back of the blocks of an answer, by the type of the block. */
const PLACES: Readonly<Record<string, FieldPlace>> = { tool_use: 'tool-call', text: 'text' };
/** The object of the request that the field is in. */
const INNER: Readonly<Record<string, string>> = { effort: 'output_config', display: 'thinking' };

/** null where it names nothing that the request can do without. */
export function withoutRefusedFields<Request extends Refusable>(
  error: unknown,
  request: Request,
): Request | null {
  const words = badRequestWords(error);
  if (words === null) return null;
  const headers = withoutBetas(words, request.headers);
  const before = request.body as Fields;
  const body = [...words.matchAll(EXTRA)].reduce(
    (fields, [, path = '']) => withoutField(fields, path.split('.')),
    before,
  );
  if (headers === request.headers && body === before) return null;
  return { ...request, headers, body };
}

function withoutBetas(message: string, headers: Refusable['headers']): Refusable['headers'] {
  const { 'anthropic-beta': sent, ...others } = headers;
  const found = BETAS.exec(message);
  if (sent === undefined || found === null) return headers;
  const [, named] = found;
  const kept = named === undefined ? [] : sent.split(',').filter((beta) => !named.includes(beta.trim()));
  if (kept.length === sent.split(',').length) return headers;
  return kept.length === 0 ? others : { ...others, 'anthropic-beta': kept.join(',') };
}

/** The path names variants of a type, too, as in `tools.0.custom.strict`. */
function withoutField(body: Fields, path: readonly string[]): Fields {
  const [first = ''] = path;
  const name = path.at(-1) ?? '';
  if (path.length === 1) return withoutTopLevel(body, name);
  if (path.includes('cache_control')) return OF_MARKS.has(name) ? withMarks(body, name) : body;
  if (first === 'tools' && OF_TOOLS.has(name)) {
    const tools = Array.isArray(body['tools']) ? body['tools'] : [];
    return { ...body, tools: tools.map((tool) => (isJsonObject(tool) ? omit(tool, name) : tool)) };
  }
  if (first === 'messages') return withoutBlockField(body, path.at(-2) ?? '', name);
  const inner = body[first];
  if (INNER[name] !== first || !isJsonObject(inner)) return body;
  const rest = omit(inner, name);
  return Object.keys(rest).length === 0 ? omit(body, first) : { ...body, [first]: rest };
}

function withoutTopLevel(body: Fields, name: string): Fields {
  if (name === 'cache_control') return withMarkAtEnd(body);
  const { output_config: config } = body;
  const isEffort = name === 'output_config' && isJsonObject(config) && !('format' in config);
  return isEffort || OF_REQUEST.has(name) ? omit(body, name) : body;
}

/** From all blocks of the type: where one is refused, the others are as well. */
function withoutBlockField(body: Fields, type: string, name: string): Fields {
  const place = PLACES[type];
  if (place === undefined || !isHint(place, name) || !Array.isArray(body['messages'])) return body;
  const strip = (block: unknown) =>
    isJsonObject(block) && block['type'] === type ? omit(block, name) : block;
  const messages = body['messages'].map((message: Fields) =>
    Array.isArray(message['content']) ? { ...message, content: message['content'].map(strip) } : message,
  );
  return { ...body, messages };
}

function omit(fields: Fields, name: string): Fields {
  const { [name]: removed, ...rest } = fields;
  return removed === undefined ? fields : rest;
}

/** All marks of the cache without the field: where one is refused, the others are as well. */
function withMarks(body: Fields, name: string): Fields {
  const strip = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(strip);
    if (!isJsonObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, own]) => [
        key,
        key === 'cache_control' && isJsonObject(own) ? omit(own, name) : strip(own),
      ]),
    );
  };
  const { system, tools, messages, cache_control: own } = body;
  return {
    ...body,
    ...(system === undefined ? {} : { system: strip(system) }),
    ...(tools === undefined ? {} : { tools: strip(tools) }),
    messages: strip(messages),
    ...(isJsonObject(own) ? { cache_control: omit(own, name) } : {}),
  };
}
