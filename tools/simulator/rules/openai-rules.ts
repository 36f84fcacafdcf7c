/** What both formats of OpenAI refuse. */
import { hasLoneSurrogate, imageTypeOf, isBase64, isSet } from './json-values.ts';
import { outOfRange } from './openai-words.ts';
import { firstProblem, type Problem, type Rule, type VendorRequest } from './rule.ts';

export const OPENAI_DOCS = 'https://platform.openai.com/docs';
export const TOOL_NAME = /^[a-zA-Z0-9_-]+$/;
export const TOOL_NAME_CHARS = 64;
export const MOST_TOOLS = 128;

/** Also where a text is not well-formed. */
export const BROKEN_BODY =
  "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON. If you have trouble figuring out how to fix this, please contact us through our help center at help.openai.com.)";

export const WELL_FORMED: Rule = {
  name: 'text is well-formed Unicode',
  source: 'https://community.openai.com/t/error-we-could-not-parse-the-json-body-of-your-request/215242',
  find: ({ body }) => (hasLoneSurrogate(body) ? { message: BROKEN_BODY } : null),
};

/** Models that reason take neither sampling parameters nor `max_tokens`. Source: "Reasoning models". */
export function isReasoningModel(model: unknown): boolean {
  return /^(o\d|gpt-[5-9](?!.*chat))/.test(String(model));
}

export function wrongSampling({ body }: VendorRequest): Problem | null {
  const effort = (body['reasoning'] as { effort?: unknown } | undefined)?.effort ?? body['reasoning_effort'];
  if (isReasoningModel(body['model']) && effort !== 'none') {
    const fixed = ['temperature', 'top_p'].find((name) => isSet(body[name]) && body[name] !== 1);
    if (fixed !== undefined) {
      const message = `Unsupported parameter: '${fixed}' is not supported with this model.`;
      return { message, param: fixed, code: 'unsupported_parameter' };
    }
    const included: unknown = body['include'];
    const isIncluded = Array.isArray(included) && included.includes('message.output_text.logprobs');
    if (body['logprobs'] === true || isIncluded) {
      const message = 'logprobs are not supported with reasoning models.';
      return { message, param: isIncluded ? 'include' : 'logprobs', code: 'unsupported_parameter' };
    }
  }
  const limits = [
    ['temperature', 0, 2],
    ['top_p', 0, 1],
    ['frequency_penalty', -2, 2],
    ['presence_penalty', -2, 2],
    ['top_logprobs', 0, 20],
  ] as const;
  return firstProblem(limits, ([name, least, most]) => outOfRange(name, body[name], { least, most }));
}

export function wrongMetadata({ body }: Pick<VendorRequest, 'body'>): Problem | null {
  const entries = Object.entries((body['metadata'] ?? {}) as object);
  const param = 'metadata';
  if (entries.length > 16) {
    const found = `Expected an object with at most 16 properties, but got an object with ${entries.length} properties instead.`;
    const code = 'object_above_max_properties';
    return { message: `Invalid '${param}': too many properties. ${found}`, param, code };
  }
  return firstProblem(entries, ([name, value]) => {
    if (typeof value !== 'string') {
      const message = `Invalid type for 'metadata.${name}': expected a string, but got an object instead.`;
      return { message, param: `metadata.${name}`, code: 'invalid_type' };
    }
    return null;
  });
}

/** An image by URL: https, or data of a type that the models read. */
export function wrongImage(param: string, url: string): Problem | null {
  const [, mediaType, data = ''] = /^data:([^;,]*);base64,(.*)$/s.exec(url) ?? [];
  if (mediaType === undefined) {
    if (/^https?:\/\/[^/]+/.test(url)) return null;
    const found = 'Expected a valid URL, but got a value with an invalid format.';
    return { message: `Invalid '${param}'. ${found}`, param, code: 'invalid_value' };
  }
  if (!isBase64(data)) {
    const message = `Invalid '${param}'. Expected a base64-encoded data URL with an image MIME type (e.g. 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU='), but got an invalid base64-encoded value.`;
    return { message, param, code: 'invalid_base64' };
  }
  const isImage = /^image\/(png|jpe?g|gif|webp)$/.test(mediaType) && imageTypeOf(data) !== '';
  if (isImage) return null;
  const message =
    "You uploaded an unsupported image. Please make sure your image has of one the following formats: ['png', 'jpeg', 'gif', 'webp'].";
  return { message, param, code: 'invalid_image_format' };
}
