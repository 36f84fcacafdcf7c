/**
 * Compiles a JSON Schema of any draft that vendors accept. Call it only in a thread that may be terminated: a schema of
 * a few lines can take exponential time to compile or to check, and a pattern can, too.
 */
import { Ajv, type ErrorObject, type Options, str } from 'ajv';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import AjvDraft04 from 'ajv-draft-04';
import addFormats from 'ajv-formats';
import type { Schema } from './map-schemas.ts';
import { isMultiple } from './multiple-of.ts';
import type { OutputFault } from './output-checker.ts';
import { toPattern } from './pattern.ts';
import { withUniqueIds } from './unique-ids.ts';
import { withoutNullable } from './without-nullable.ts';

/** @returns where the value does not fit; empty if it does. */
export type FaultsOf = (value: unknown) => readonly OutputFault[];

const DRAFTS = ['2020-12', '2019-09', 'draft-07', 'draft-04'] as const;
type Draft = (typeof DRAFTS)[number];

const MOST_FAULTS = 8;
const FAULT_CHARS = 200;

const OPTIONS: Options = {
  // Vendors take keywords that the standard does not have, and libraries write them.
  strict: false,
  allErrors: true,
  // `required: ["toString"]` asks for a property that the answer has itself.
  ownProperties: true,
  // With it, a definition that is used twice is compiled twice, and so are those within it.
  inlineRefs: false,
  validateSchema: false,
  meta: false,
  logger: false,
  code: { regExp: Object.assign(toPattern, { code: 'toPattern' }) },
};

/** @throws Error that says what is wrong with the schema. */
export function compileSchema(whole: Schema): FaultsOf {
  const { $schema, $async: _, ...schema } = whole;
  const named = typeof $schema === 'string' ? draftOf($schema) : undefined;
  // Without a name the newest draft counts that takes the schema: tuples and exclusive bounds have changed.
  const drafts: readonly Draft[] = named === undefined ? DRAFTS : [named];
  const draft = drafts.find((own) => faultOfSchema(own, schema) === null);
  if (draft === undefined) {
    throw new Error(faultOfSchema(drafts[0] ?? '2020-12', schema) ?? 'it is not a JSON Schema');
  }
  // An instance for each schema: no `$id` of one can be referred to from another.
  const unique = withUniqueIds(withoutNullable(schema), draft === 'draft-04' ? 'id' : '$id');
  const validate = addFormats.default(withOwnKeywords(draft)).compile(unique);
  return (value) => {
    if (validate(value)) return [];
    return (validate.errors ?? []).slice(0, MOST_FAULTS).map(toFault);
  };
}

function create(draft: Draft, options: Options): Ajv {
  switch (draft) {
    case '2020-12':
      return new Ajv2020(options) as Ajv;
    case '2019-09':
      return new Ajv2019(options) as Ajv;
    case 'draft-07':
      return new Ajv(options);
    case 'draft-04':
      return new AjvDraft04.default(options) as unknown as Ajv;
  }
}

function withOwnKeywords(draft: Draft): Ajv {
  const ajv = create(draft, OPTIONS)
    .removeKeyword('multipleOf')
    .addKeyword({
      keyword: 'multipleOf',
      type: 'number',
      schemaType: 'number',
      validate: (step: number, value: number) => isMultiple(value, step),
      error: { message: ({ schemaCode }) => str`must be multiple of ${schemaCode}` },
    });
  // Since draft 6 it is a keyword like any other that is unknown; Ajv alone refuses it.
  return draft === 'draft-04' ? ajv : ajv.removeKeyword('id');
}

const META = new Map<Draft, Ajv>();

/** What the draft's own schema says against it; null if nothing. */
function faultOfSchema(draft: Draft, schema: Schema): string | null {
  const meta = META.get(draft) ?? create(draft, { strict: false, logger: false });
  META.set(draft, meta);
  if (meta.validateSchema(schema) === true) return null;
  const [error] = meta.errors ?? [];
  return error === undefined ? 'it is not a JSON Schema' : `${error.instancePath} ${error.message}`.trim();
}

/** Draft 6 has no keyword that draft 7 reads in another way. */
function draftOf($schema: string): Draft | undefined {
  const uri = $schema.replace(/#$/, '').replace(/^https?:\/\//, '');
  const drafts: Readonly<Record<string, Draft>> = {
    'json-schema.org/draft/2020-12/schema': '2020-12',
    'json-schema.org/draft/2019-09/schema': '2019-09',
    'json-schema.org/draft-07/schema': 'draft-07',
    'json-schema.org/draft-06/schema': 'draft-07',
    'json-schema.org/draft-04/schema': 'draft-04',
  };
  return Object.hasOwn(drafts, uri) ? drafts[uri] : undefined;
}

function toFault({ instancePath, message = 'does not fit', params }: ErrorObject): OutputFault {
  return { path: instancePath, message: cut(`${message}${detailOf(params)}`) };
}

/** What the message leaves out: the values that are allowed, the property that is not. */
function detailOf(params: Record<string, unknown>): string {
  const { allowedValues, allowedValue, additionalProperty, unevaluatedProperty } = params;
  const detail = allowedValues ?? allowedValue ?? additionalProperty ?? unevaluatedProperty;
  return detail === undefined ? '' : `: ${JSON.stringify(detail)}`;
}

function cut(text: string): string {
  return text.length <= FAULT_CHARS ? text : `${text.slice(0, FAULT_CHARS)}...`;
}
