/**
 * A value that fits a JSON Schema: for structured output and for arguments of tools. It is readable where the schema
 * allows it, and the same for the same schema and question. Each part is checked as it is made and made differently
 * where it does not fit; for a schema that nothing fits, the nearest attempt is returned.
 */
import { Chance } from '../text/chance.ts';
import { dependentsOf, fitsSchema, matchesPattern, schemaOfItem, schemasOfProperty } from './fits-schema.ts';
import { flattenSchema } from './merge-schemas.ts';
import { samplePattern } from './sample-pattern.ts';
import { type Hints, sampleString } from './sample-string.ts';
import { canonical, entriesIn, namesIn, numberIn, type Schema, schemasIn, typesOf } from './schema.ts';

export type { Hints } from './sample-string.ts';

const VARIANTS = 24;
/** Parts that are made for one value; then each is made once only. */
const MOST_PARTS = 4_000;
/** Deeper than this, what is optional is left out. */
const FULL_DEPTH = 4;
const DEPTH = 40;
const USUAL_ITEMS = 2;

export function sampleJson(schema: unknown, hints: Hints): unknown {
  return new JsonSampler(schema, hints).sample({ schema, name: '', place: 0, depth: 0 });
}

interface Place {
  readonly schema: unknown;
  /** The name of the property; '' for none. */
  readonly name: string;
  /** The place among the items of an array. */
  readonly place: number;
  readonly depth: number;
}

class JsonSampler {
  readonly #root: unknown;
  readonly #hints: Hints;
  #parts = 0;

  constructor(root: unknown, hints: Hints) {
    this.#root = root;
    this.#hints = hints;
  }

  sample(place: Place): unknown {
    const first = this.#make(place, 0);
    if (this.#fits(place.schema, first)) return first;
    for (let variant = 1; variant < VARIANTS && this.#parts < MOST_PARTS; variant += 1) {
      const value = this.#make(place, variant);
      if (this.#fits(place.schema, value)) return value;
    }
    return first;
  }

  #fits(schema: unknown, value: unknown): boolean {
    return fitsSchema(this.#root, schema, value);
  }

  #make(at: Place, variant: number): unknown {
    this.#parts += 1;
    const isDeep = at.depth > FULL_DEPTH;
    const schema = at.depth > DEPTH ? null : flattenSchema(this.#root, at.schema, { variant, isDeep });
    if (schema === null) return null;
    const turn = at.place + variant;
    if ('const' in schema) return schema['const'];
    const allowed = schemasIn(schema['enum']).filter((item) => this.#fits(at.schema, item));
    if (allowed.length > 0) return allowed[turn % allowed.length];
    switch (chooseType(schema, variant)) {
      case 'object':
        return this.#makeObject(schema, at, variant);
      case 'array':
        return this.#makeArray(schema, at, variant);
      case 'integer':
        return sampleNumber(schema, { isInteger: true, name: at.name, turn });
      case 'number':
        return sampleNumber(schema, { isInteger: false, name: at.name, turn });
      case 'boolean':
        return turn % 2 === 0;
      case 'null':
        return null;
      default:
        return sampleString({ schema, name: at.name, variant: turn, hints: this.#hints });
    }
  }

  #makeObject(declared: Schema, at: Place, variant: number): Schema {
    const isFull = at.depth <= FULL_DEPTH && variant % 2 === 0;
    const value: Record<string, unknown> = {};
    const names = propertyNames(declared, { isFull });
    let schema = declared;
    for (let index = 0; index < names.length; index += 1) {
      const name = names[index] ?? '';
      for (const [trigger, dependent] of dependentsOf(schema)) {
        if (trigger !== name) continue;
        const added = Array.isArray(dependent)
          ? { required: dependent }
          : flattenSchema(this.#root, dependent, { variant, isDeep: at.depth > FULL_DEPTH });
        if (added === null) continue;
        schema = flattenSchema(this.#root, { allOf: [schema, added] }, { variant }) ?? schema;
        names.push(...propertyNames(schema).filter((other) => !names.includes(other)));
      }
    }
    for (const name of names) value[name] = this.#makeProperty(schema, name, at.depth);
    const least = numberIn(schema, 'minProperties') ?? 0;
    for (let index = 0; Object.keys(value).length < least && index < least + VARIANTS; index += 1) {
      const name = this.#inventName(schema, index);
      if (!Object.hasOwn(value, name)) value[name] = this.#makeProperty(schema, name, at.depth);
    }
    return value;
  }

  #makeProperty(schema: Schema, name: string, depth: number): unknown {
    const parts = schemasOfProperty(schema, name);
    const part = parts.length === 1 ? parts[0] : { allOf: parts };
    return this.sample({ schema: part, name, place: 0, depth: depth + 1 });
  }

  #inventName(schema: Schema, index: number): string {
    const patterns = entriesIn(schema['patternProperties']).map(([pattern]) => pattern);
    const pattern = patterns[index % Math.max(1, patterns.length)];
    if (pattern !== undefined) {
      const name = samplePattern(pattern, new Chance(index), 1 + index);
      if (name !== null) return matchesPattern(pattern, `${name}${index + 1}`) ? `${name}${index + 1}` : name;
    }
    const names = schema['propertyNames'];
    if (names === undefined) return `key_${index + 1}`;
    return String(
      this.sample({ schema: { allOf: [{ type: 'string' }, names] }, name: 'key', place: index, depth: 0 }),
    );
  }

  #makeArray(schema: Schema, at: Place, variant: number): unknown[] {
    const isUnique = schema['uniqueItems'] === true;
    const contained = 'contains' in schema ? (numberIn(schema, 'minContains') ?? 1) : 0;
    const tuple = schemasIn(Array.isArray(schema['items']) ? schema['items'] : schema['prefixItems']).length;
    const usual =
      at.depth > FULL_DEPTH || variant % 2 === 1 ? contained : Math.max(USUAL_ITEMS, contained, tuple);
    const most = schemaOfItem(schema, tuple) === false ? tuple : Number.POSITIVE_INFINITY;
    const count = Math.max(
      numberIn(schema, 'minItems') ?? 0,
      Math.min(usual, numberIn(schema, 'maxItems') ?? Number.POSITIVE_INFINITY, most),
    );
    const items: unknown[] = [];
    const seen = new Set<string>();
    for (let index = 0; index < count; index += 1) {
      const item = schemaOfItem(schema, index);
      // The last items are those that `contains` asks for, since a tuple begins with its own.
      const part = index >= count - contained ? { allOf: [item, schema['contains']] } : item;
      let value: unknown;
      for (let attempt = 0; attempt < VARIANTS; attempt += 1) {
        value = this.sample({
          schema: part,
          name: singular(at.name),
          place: index + attempt,
          depth: at.depth + 1,
        });
        if (!isUnique || !seen.has(canonical(value))) break;
      }
      seen.add(canonical(value));
      items.push(value);
    }
    return items;
  }
}

function propertyNames(schema: Schema, { isFull = false } = {}): string[] {
  const required = namesIn(schema['required']);
  const most = numberIn(schema, 'maxProperties') ?? Number.POSITIVE_INFINITY;
  const optional = entriesIn(schema['properties']).flatMap(([name, part]) =>
    part === false || required.includes(name) ? [] : [name],
  );
  const declared = entriesIn(schema['properties']).map(([name]) => name);
  const wanted = new Set(
    [...required, ...(isFull ? optional : [])].slice(0, Math.max(required.length, most)),
  );
  // In the order of the schema, as vendors answer.
  return [
    ...declared.filter((name) => wanted.has(name)),
    ...required.filter((name) => !declared.includes(name)),
  ];
}

function chooseType(schema: Schema, variant: number): string {
  const types = typesOf(schema);
  const usual = types.filter((type) => type !== 'null');
  const ordered = [...usual, ...types.filter((type) => type === 'null')];
  if (ordered.length > 0) return ordered[variant % ordered.length] ?? 'string';
  if (['properties', 'required', 'minProperties', 'patternProperties'].some((word) => word in schema))
    return 'object';
  if (['items', 'prefixItems', 'minItems', 'contains'].some((word) => word in schema)) return 'array';
  if (
    ['minimum', 'maximum', 'multipleOf', 'exclusiveMinimum', 'exclusiveMaximum'].some(
      (word) => word in schema,
    )
  ) {
    return 'number';
  }
  return 'string';
}

const NUMBERS: readonly (readonly [RegExp, number])[] = [
  [/year/, 2026],
  [/month/, 3],
  [/days?$/, 3],
  [/hours?$/, 9],
  [/age$/, 36],
  [/temperature/, 21],
  [/(count|limit|number|quantity|amount)$/, 5],
  [/latitude|^lat$/, 38.72],
  [/longitude|^(lon|lng)$/, -9.14],
  [/price|cost|total/, 19.5],
  [/confidence|probability|score/, 0.9],
];
const USUAL_NUMBER = 7;

interface NumberOrder {
  readonly isInteger: boolean;
  readonly name: string;
  /** Other numbers give other values. */
  readonly turn: number;
}

function sampleNumber(schema: Schema, { isInteger, name, turn }: NumberOrder): number {
  const named = NUMBERS.find(([pattern]) => pattern.test(name.toLowerCase()))?.[1] ?? USUAL_NUMBER;
  const hint = isInteger ? Math.round(named) : named;
  const low = Math.max(
    numberIn(schema, 'minimum') ?? -Infinity,
    numberIn(schema, 'exclusiveMinimum') ?? -Infinity,
  );
  const high = Math.min(
    numberIn(schema, 'maximum') ?? Infinity,
    numberIn(schema, 'exclusiveMaximum') ?? Infinity,
  );
  const step = numberIn(schema, 'multipleOf') ?? (isInteger ? 1 : 0);
  if (step === 0) return sampleBetween(low, high, hint, turn);
  const wholeStep = isInteger && !Number.isInteger(step) ? step * 10 ** decimalsOf(step) : step;
  const least = Math.ceil(low / wholeStep) + (low === numberIn(schema, 'exclusiveMinimum') ? 1 : 0);
  const most = Math.floor(high / wholeStep) - (high === numberIn(schema, 'exclusiveMaximum') ? 1 : 0);
  const usual = Math.round(hint / wholeStep);
  const start = usual >= least && usual <= most ? usual : Number.isFinite(low) ? least : most;
  const width = most - least + 1;
  if (Number.isFinite(width) && width > 0) return toStep(least + ((start - least + turn) % width), wholeStep);
  return toStep(Number.isFinite(high) ? start - turn : start + turn, wholeStep);
}

/** Within the open interval, so that it does not matter whether its ends belong to it. */
function sampleBetween(low: number, high: number, hint: number, turn: number): number {
  const value = hint + turn / 2;
  if (value > low && value < high) return value;
  if (low === high) return low;
  if (!Number.isFinite(low)) return high - (turn + 1) / 2;
  if (!Number.isFinite(high)) return low + (turn + 1) / 2;
  return low + ((high - low) * (1 + (turn % VARIANTS))) / (VARIANTS + 1);
}

function toStep(times: number, step: number): number {
  return Number((times * step).toFixed(decimalsOf(step)));
}

function decimalsOf(step: number): number {
  return Math.min(12, String(step).split('.')[1]?.length ?? 0);
}

function singular(name: string): string {
  return name.replace(/s$/, '');
}
