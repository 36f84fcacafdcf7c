/** What Gemini's `generateContent` refuses. */
import { isWithin } from '../../../contracts/seed.ts';
import { isSignatureOf } from '../thought-signatures.ts';
import { checkTypes, readTypes, type TypeProblem } from './check-types.ts';
import {
  type Fields,
  fieldsOf,
  hasLoneSurrogate,
  isBase64,
  isSet,
  objectsOf,
  textOf,
} from './json-values.ts';
import { firstProblem, type Problem, type Rule, type VendorRequest } from './rule.ts';

const DOCS = 'https://ai.google.dev/gemini-api/docs';
const REFERENCE = 'https://ai.google.dev/api/generate-content';
const TYPES = readTypes('google');

/** Accepted in place of a signature. Source: "Thought signatures", FAQ. */
const NO_SIGNATURES = ['skip_thought_signature_validator', 'context_engineering_is_the_way_to_go'];
const NAME = /^[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}$/;
const MEDIA = /^(image\/(png|jpeg|webp|heic|heif)|application\/pdf|text\/.+|audio\/.+|video\/.+)$/;
const DATA = [
  'text',
  'inlineData',
  'functionCall',
  'functionResponse',
  'fileData',
  'executableCode',
  'codeExecutionResult',
  'toolCall',
  'toolResponse',
];

/** The API takes both spellings. */
const camelCase = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
const snakeCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const PROTO_TYPES: Readonly<Record<string, string>> = {
  string: 'TYPE_STRING',
  number: 'TYPE_INT32',
  boolean: 'TYPE_BOOL',
};

function placeOf(path: TypeProblem['path']): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${snakeCase(key)}`))
    .join('')
    .slice(1);
}

function wrongTypes({ body }: VendorRequest): Problem | null {
  const problem = checkTypes(TYPES, body, { nameOf: camelCase });
  if (problem === null) return null;
  const place = placeOf(problem.path);
  switch (problem.kind) {
    case 'unknown': {
      const holder = placeOf(problem.path.slice(0, -1));
      const at = holder === '' ? '' : ` at '${holder}'`;
      const found = `Unknown name "${problem.path.at(-1)}"${at}: Cannot find field.`;
      return { message: `Invalid JSON payload received. ${found}` };
    }
    case 'missing':
      return { message: `* GenerateContentRequest.${place}: ${place} is not specified\n` };
    case 'type': {
      const [expected = ''] = problem.expected;
      if (expected === 'array' || expected === 'object') {
        const found = `Unknown name "${problem.path.at(-1)}" at '${placeOf(problem.path.slice(0, -1))}'`;
        return {
          message: `Invalid JSON payload received. ${found}: Proto field is not repeating, cannot start list.`,
        };
      }
      return {
        message: `Invalid value at '${place}' (${PROTO_TYPES[expected] ?? expected}), ${JSON.stringify(problem.value)}`,
      };
    }
    case 'value':
      return { message: `Invalid value at '${place}' (TYPE_ENUM), ${JSON.stringify(problem.value)}` };
  }
}

/** The parts of each turn, with their names in one spelling. */
function turnsOf(body: Fields) {
  return objectsOf(body['contents']).map(({ role, parts }, index) => ({
    index,
    role: textOf(role) || 'user',
    parts: objectsOf(parts).map((part) =>
      Object.fromEntries(Object.entries(part).map(([name, value]) => [camelCase(name), value])),
    ) as readonly Fields[],
  }));
}

function holding(parts: readonly Fields[], name: string): readonly Fields[] {
  return parts.filter((part) => part[name] !== undefined);
}

function wrongContents({ body }: VendorRequest): Problem | null {
  const turns = turnsOf(body);
  if (turns.length === 0)
    return { message: '* GenerateContentRequest.contents: contents is not specified\n' };
  const own = firstProblem(turns, ({ index, role, parts }) => {
    if (!['user', 'model', 'function'].includes(role))
      return { message: 'Please use a valid role: user, model.' };
    const at = `GenerateContentRequest.contents[${index}].parts`;
    if (parts.length === 0) return { message: `* ${at}: contents.parts must not be empty.\n` };
    return firstProblem(parts.entries(), ([place, part]) => {
      const set = DATA.filter((name) => part[name] !== undefined);
      const isSigned = part['thoughtSignature'] !== undefined;
      if (set.length === 0 && !isSigned) {
        return {
          message: `* ${at}[${place}].data: required oneof field 'data' must have one initialized field\n`,
        };
      }
      if (part['text'] === '' && !isSigned) {
        return {
          message:
            'Unable to submit request because it has an empty text parameter. Add a value to the parameter and try again.',
        };
      }
      const [, second] = set;
      const found = `Invalid value at 'contents[${index}].parts[${place}]' (oneof), oneof field 'data' is already set.`;
      return second === undefined ? null : { message: `${found} Cannot set '${snakeCase(second)}'` };
    });
  });
  if (own !== null) return own;
  const isAlone = turns.length === 1 && turns[0]?.role === 'model';
  return isAlone
    ? { message: 'Please ensure that single turn requests end with a user role or the role field is empty.' }
    : null;
}

/** Results follow their calls, as many as the calls; calls follow a user's turn or results. */
function unpairedTools({ body }: VendorRequest): Problem | null {
  const turns = turnsOf(body);
  return firstProblem(turns.entries(), ([place, { role, parts }]) => {
    const before = turns[place - 1];
    const after = turns[place + 1];
    const calls = holding(parts, 'functionCall').length;
    const results = holding(parts, 'functionResponse').length;
    if (calls > 0 && role === 'model' && (before === undefined || before.role === 'model')) {
      return {
        message:
          'Please ensure that function call turn comes immediately after a user turn or after a function response turn.',
      };
    }
    if (results > 0 && holding(before?.parts ?? [], 'functionCall').length === 0) {
      return {
        message: 'Please ensure that function response turn comes immediately after a function call turn.',
      };
    }
    const answered = holding(after?.parts ?? [], 'functionResponse').length;
    return calls > 0 && answered !== calls
      ? {
          message:
            'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.',
        }
      : null;
  });
}

/** From Gemini 3 on, the first call of each step of the current turn is signed. */
function wrongSignatures({ body, path, apiKey }: VendorRequest): Problem | null {
  const turns = turnsOf(body);
  const current = turns.findLastIndex(
    ({ role, parts }) => role !== 'model' && holding(parts, 'text').length > 0,
  );
  return firstProblem(turns, ({ index, parts }) => {
    const [call] = holding(parts, 'functionCall');
    const wrong = holding(parts, 'thoughtSignature').find(({ thoughtSignature, ...part }) => {
      const signature = textOf(thoughtSignature);
      return !NO_SIGNATURES.includes(signature) && !isSignatureOf(signature, apiKey, signedText(part));
    });
    if (wrong !== undefined) return { message: 'Thought signature is not valid' };
    const mustSign = /gemini-([3-9]|\d\d)/.test(path) && index > current;
    if (!mustSign || call === undefined || call['thoughtSignature'] !== undefined) return null;
    const name = textOf(fieldsOf(call['functionCall'])['name']);
    const why =
      'This is required for tools to work correctly, and missing thought_signature may lead to degraded model performance.';
    const where = `Additional data, function call \`default_api:${name}\` , position ${index + 1}.`;
    const see = 'Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details.';
    return {
      message: `Function call is missing a thought_signature in functionCall parts. ${why} ${where} ${see}`,
    };
  });
}

/** What a signature of a part is made for: the call without its id, or the text. */
export function signedText(part: Fields): string {
  const { name, args } = fieldsOf(part['functionCall']);
  return part['functionCall'] === undefined ? textOf(part['text']) : JSON.stringify([name, args]);
}

function wrongTools({ body }: VendorRequest): Problem | null {
  const tools = objectsOf(body['tools']);
  const declared = tools.flatMap((tool) =>
    objectsOf(tool['functionDeclarations'] ?? tool['function_declarations']),
  );
  if (declared.length > 512) return { message: 'At most 512 function declarations can be specified.' };
  const names = declared.map(({ name }) => textOf(name));
  const shared = names.find((name, index) => names.indexOf(name) < index);
  // https://github.com/lobehub/lobehub/pull/12604
  if (shared !== undefined) return { message: `Duplicate function declaration found: ${shared}` };
  const config = fieldsOf(fieldsOf(body['toolConfig'])['functionCallingConfig']);
  const isRestricted =
    isSet(config['allowedFunctionNames']) && !['ANY', 'VALIDATED'].includes(textOf(config['mode']));
  if (isRestricted) {
    return {
      message: 'Allowed function names should only be set when function calling mode is ANY or VALIDATED.',
    };
  }
  return firstProblem(declared.entries(), ([index, { name, parameters, parametersJsonSchema }]) => {
    const at = `* GenerateContentRequest.tools[0].function_declarations[${index}]`;
    if (!NAME.test(textOf(name))) {
      const rule =
        'Must start with a letter or an underscore. Must be alphanumeric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 128.';
      return { message: `${at}.name: Invalid function name. ${rule}\n` };
    }
    return parameters !== undefined && parametersJsonSchema !== undefined
      ? { message: `${at}: parameters and parameters_json_schema are mutually exclusive.\n` }
      : null;
  });
}

/** Of all lists of a request together. Measured by the source of the rule. */
const MOST_ITEMS = 960;

function schemasOf(body: Fields): readonly unknown[] {
  const declared = objectsOf(body['tools']).flatMap((tool) => objectsOf(tool['functionDeclarations']));
  const ofAnswer = fieldsOf(body['generationConfig'])['responseJsonSchema'];
  return [...declared.map(({ parametersJsonSchema }) => parametersJsonSchema), ofAnswer];
}

/** The vendor does not say what is wrong. */
function tooManyStates({ body }: VendorRequest): Problem | null {
  const items = schemasOf(body).reduce((sum: number, schema) => sum + itemsIn(schema), 0);
  return items > MOST_ITEMS ? { message: 'Request contains an invalid argument.' } : null;
}

function wrongReference(schema: unknown): Problem | null {
  if (typeof schema !== 'object' || schema === null) return null;
  const { $ref: name, $defs: _, description: _about, default: _usual, ...others } = schema as Fields;
  if (typeof name === 'string' && Object.keys(others).length > 0) {
    const why = 'If a schema node has $ref set, then only description and default can be set alongside it';
    return { message: `$ref '${name}' was set alongside unsupported fields. ${why}` };
  }
  return firstProblem(Object.values(schema), wrongReference);
}

function itemsIn(schema: unknown): number {
  if (typeof schema !== 'object' || schema === null) return 0;
  const own = 'maxItems' in schema ? Number(schema.maxItems) : 0;
  return Object.values(schema).reduce((sum: number, inner) => sum + itemsIn(inner), own);
}

function wrongConfig({ body, path }: VendorRequest): Problem | null {
  const config = fieldsOf(body['generationConfig']);
  const { maxOutputTokens, stopSequences, temperature, topK, topP, candidateCount, seed } = config;
  const at = '* GenerateContentRequest.generation_config';
  if (isSet(maxOutputTokens) && !(Number.isInteger(maxOutputTokens) && Number(maxOutputTokens) > 0)) {
    return { message: `${at}.max_output_tokens: max_output_tokens must be positive.\n` };
  }
  if (isSet(temperature) && (Number(temperature) < 0 || Number(temperature) > 2)) {
    return { message: `${at}.temperature: temperature must be in the range [0.0, 2.0].\n` };
  }
  if (isSet(topP) && (Number(topP) < 0 || Number(topP) > 1)) {
    return { message: `${at}.top_p: top_p must be in the range [0.0, 1.0].\n` };
  }
  if (isSet(topK) && Number(topK) < 1) return { message: `${at}.top_k: top_k must be positive.\n` };
  if (isSet(candidateCount) && Number(candidateCount) > 8) {
    return { message: `${at}.candidate_count: candidate_count must be in the range [1, 8].\n` };
  }
  if (Array.isArray(stopSequences) && stopSequences.length > 5) {
    return { message: `${at}.stop_sequences: the number of stop_sequences exceeds the limit of 5.\n` };
  }
  if (isSet(seed) && !isWithin(seed, -(2n ** 31n), 2n ** 31n - 1n)) {
    const found = JSON.stringify(seed);
    return { message: `Invalid value at 'generation_config.seed' (TYPE_INT32), ${found}` };
  }
  return (
    wrongLogprobs(config) ??
    wrongOutput(body, path) ??
    wrongThinking(fieldsOf(config['thinkingConfig']), path)
  );
}

function wrongLogprobs({ logprobs, responseLogprobs }: Fields): Problem | null {
  if (!isSet(logprobs)) return null;
  if (responseLogprobs !== true) {
    return { message: 'Logprobs is set but response_logprobs is not enabled.' };
  }
  const isInRange = Number(logprobs) >= 0 && Number(logprobs) <= 20;
  return isInRange ? null : { message: 'logprobs must be in the range [0, 20].' };
}

function wrongOutput(body: Fields, path: string): Problem | null {
  const { responseMimeType, responseJsonSchema, responseSchema } = fieldsOf(body['generationConfig']);
  const hasSchema = responseJsonSchema !== undefined || responseSchema !== undefined;
  if (hasSchema && responseMimeType !== 'application/json') {
    return { message: "response_schema is only allowed with response_mime_type 'application/json'" };
  }
  if (responseJsonSchema !== undefined && responseSchema !== undefined) {
    return { message: 'response_schema and response_json_schema are mutually exclusive.' };
  }
  const isOld = /gemini-[12]/.test(path);
  return isOld && responseMimeType === 'application/json' && objectsOf(body['tools']).length > 0
    ? { message: "Function calling with a response mime type: 'application/json' is unsupported" }
    : null;
}

function wrongThinking(
  { thinkingBudget: budget, thinkingLevel: level }: Fields,
  path: string,
): Problem | null {
  if (isSet(budget) && isSet(level)) {
    return { message: 'You can only set only one of thinking budget and thinking level.' };
  }
  if (isSet(level) && /gemini-[12]/.test(path))
    return { message: 'Thinking level is not supported for this model.' };
  if (isSet(level) && /gemma-4/.test(path) && !['MINIMAL', 'HIGH'].includes(textOf(level)))
    return { message: `Thinking level ${textOf(level)} is not supported for this model.` };
  const isPro = /gemini-2\.5-pro/.test(path);
  if (isPro && budget === 0) {
    return { message: 'Budget 0 is invalid. This model only works in thinking mode.' };
  }
  const most = isPro ? 32_768 : 24_576;
  return isSet(budget) && (Number(budget) < -1 || Number(budget) > most)
    ? { message: `The thinking budget ${budget} is invalid. Please choose a value between 0 and ${most}.` }
    : null;
}

function wrongMedia({ body }: VendorRequest): Problem | null {
  return firstProblem(turnsOf(body), ({ index, parts }) =>
    firstProblem(parts.entries(), ([place, part]) => {
      const { fileUri, mimeType: fileType } = fieldsOf(part['fileData']);
      const isTyped = /^https:\/\/(www\.youtube\.com|youtu\.be)\//.test(textOf(fileUri)) && isSet(fileType);
      if (isTyped && !textOf(fileType).startsWith('video/')) {
        return { message: `Unsupported MIME type: ${textOf(fileType)}` };
      }
      if (part['inlineData'] === undefined) return null;
      const inline = fieldsOf(part['inlineData']);
      const mimeType = textOf(inline['mimeType'] ?? inline['mime_type']);
      const at = `contents[${index}].parts[${place}].inline_data.data`;
      if (!isBase64(textOf(inline['data']))) {
        return {
          message: `Invalid value at '${at}' (TYPE_BYTES), Base64 decoding failed for "${textOf(inline['data']).slice(0, 40)}"`,
        };
      }
      return MEDIA.test(mimeType) ? null : { message: `Unsupported MIME type: ${mimeType}` };
    }),
  );
}

export const GOOGLE_RULES: readonly Rule[] = [
  {
    name: 'text is well-formed Unicode',
    source: 'https://protobuf.dev/programming-guides/json/',
    find: ({ body }) =>
      hasLoneSurrogate(body)
        ? { message: 'Invalid JSON payload received. Invalid UTF-16 surrogate pair.' }
        : null,
  },
  { name: 'fields and their types', source: REFERENCE, find: wrongTypes },
  { name: 'contents', source: 'https://ai.google.dev/api/caching#Content', find: wrongContents },
  {
    name: 'calls and their responses',
    source: 'https://github.com/google-gemini/gemini-cli/issues/3814',
    find: unpairedTools,
  },
  { name: 'thought signatures', source: `${DOCS}/thought-signatures`, find: wrongSignatures },
  { name: 'functions', source: 'https://ai.google.dev/api/caching#FunctionDeclaration', find: wrongTools },
  {
    name: 'bounds of schemas',
    source: 'https://github.com/googleapis/python-genai/issues/2170',
    find: tooManyStates,
  },
  {
    name: 'references in schemas',
    source: 'https://github.com/anomalyco/opencode/issues/12295',
    find: ({ body }) => firstProblem(schemasOf(body), wrongReference),
  },
  { name: 'the configuration', source: `${REFERENCE}#generationconfig`, find: wrongConfig },
  { name: 'media', source: `${DOCS}/image-understanding`, find: wrongMedia },
];
