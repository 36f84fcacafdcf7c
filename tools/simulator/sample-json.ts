/** A value that fits a JSON Schema, the same for the same schema and word. Of the schema the common words are read. */
type Schema = Readonly<Record<string, unknown>>;

const DEPTH = 8;
const WORD = 'harbour';

/** @param word every string of the value. */
export function sampleOf(schema: unknown, word = WORD, depth = DEPTH): unknown {
  if (!isSchema(schema) || depth === 0) return null;
  if ('const' in schema) return schema['const'];
  if (Array.isArray(schema['enum'])) return schema['enum'][0] ?? null;
  for (const word of ['anyOf', 'oneOf', 'allOf']) {
    const choices = schema[word];
    if (Array.isArray(choices)) return sampleOf(choices[0], word, depth - 1);
  }
  const { type } = schema;
  switch (Array.isArray(type) ? type[0] : (type ?? (isSchema(schema['properties']) ? 'object' : 'string'))) {
    case 'object':
      return Object.fromEntries(
        Object.entries(isSchema(schema['properties']) ? schema['properties'] : {}).map(([name, value]) => [
          name,
          sampleOf(value, word, depth - 1),
        ]),
      );
    case 'array':
      return [sampleOf(schema['items'], word, depth - 1)];
    case 'integer':
    case 'number':
      return typeof schema['minimum'] === 'number' ? schema['minimum'] : 42;
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return word;
  }
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
