/**
 * The request types of the installed SDKs, as the simulated provider reads them. After an update of an SDK,
 * `node test/harness/vendor-types/write.ts` writes them.
 */
import { fileURLToPath } from 'node:url';
import type { ObjectShape, Shape, VendorTypes } from '../../../tools/simulator/rules/check-types.ts';
import { type Field, type FieldType, type ObjectType, SdkTypes } from '../fields/read-types.ts';

interface Source {
  /** The name of the file. */
  readonly name: string;
  readonly path: string;
  readonly root: string;
  /** The fields of the body; absent: those of the type. */
  readonly bodyOf?: (types: SdkTypes, path: string) => Record<string, ObjectShapeSource>;
}

/** Fields of a request body that its type lacks, by the type of their value. */
type ObjectShapeSource = ObjectType | readonly [ObjectType] | FieldType['kind'];

const SOURCES: readonly Source[] = [
  {
    name: 'openai-chat',
    path: 'openai/resources/chat/completions/completions.d.ts',
    root: 'ChatCompletionCreateParamsBase',
  },
  {
    name: 'openai-responses',
    path: 'openai/resources/responses/responses.d.ts',
    root: 'ResponseCreateParamsBase',
  },
  {
    name: 'openai-batches',
    path: 'openai/resources/batches.d.ts',
    root: 'BatchCreateParams',
  },
  {
    name: 'anthropic',
    path: '@anthropic-ai/sdk/resources/messages/messages.d.ts',
    root: 'MessageCreateParamsBase',
  },
  {
    name: 'anthropic-beta',
    path: '@anthropic-ai/sdk/resources/beta/messages/messages.d.ts',
    root: 'MessageCreateParamsBase',
  },
  {
    name: 'cohere',
    path: 'cohere-ai/dist/serialization/resources/v2/client/requests/V2ChatStreamRequest.d.ts',
    root: 'V2ChatStreamRequest.Raw',
  },
  {
    // The SDK has no type for the body: it takes one configuration, and distributes its fields.
    name: 'google',
    path: '@google/genai/dist/genai.d.ts',
    root: 'GenerationConfig',
    bodyOf: (types, path) => {
      const read = (name: string) => types.read(path, name);
      return {
        contents: [read('Content')],
        'systemInstruction?': read('Content'),
        'tools?': [read('Tool')],
        'toolConfig?': read('ToolConfig'),
        'safetySettings?': [read('SafetySetting')],
        'generationConfig?': read('GenerationConfig'),
        'cachedContent?': 'string',
        'serviceTier?': 'string',
        'store?': 'boolean',
        'model?': 'string',
      };
    },
  },
];

export const VENDORS: readonly string[] = SOURCES.map(({ name }) => name);

export function typesOf(vendor: string): VendorTypes {
  const source = SOURCES.find(({ name }) => name === vendor);
  if (source === undefined) throw new Error(vendor);
  const path = fileURLToPath(new URL(`../../../node_modules/${source.path}`, import.meta.url));
  const writer = new ShapeWriter();
  const types = new SdkTypes();
  if (source.bodyOf === undefined) return writer.finish(writer.object(types.read(path, source.root)));
  const body = Object.entries(source.bodyOf(types, path)).map(([field, own]): [string, Shape] => {
    if (typeof own === 'string') return [field, own as Shape];
    return [field, 'name' in own ? { ref: writer.object(own) } : { list: { ref: writer.object(own[0]) } }];
  });
  return writer.finish('Body', Object.fromEntries(body));
}

/** One object a line. */
export function textOf({ root, objects }: VendorTypes): string {
  const lines = Object.entries(objects).map(
    ([name, fields]) => `${JSON.stringify(name)}: ${JSON.stringify(fields)}`,
  );
  return `{"root": ${JSON.stringify(root)}, "objects": {\n${lines.join(',\n')}\n}}\n`;
}

class ShapeWriter {
  readonly #names = new Map<ObjectType, string>();
  readonly #objects: Record<string, ObjectShape> = {};

  finish(root: string, body?: ObjectShape): VendorTypes {
    return { root, objects: body === undefined ? this.#objects : { [root]: body, ...this.#objects } };
  }

  /** @returns the name of the object, under which its fields are written once. */
  object(object: ObjectType): string {
    const known = this.#names.get(object);
    if (known !== undefined) return known;
    const taken = new Set(this.#names.values());
    let name = object.name;
    for (let copy = 2; taken.has(name); copy += 1) name = `${object.name}.${copy}`;
    this.#names.set(object, name);
    // Its place comes before those of its parts.
    this.#objects[name] = {};
    const fields = [...object.fields].filter(([, field]) => isInBody(field));
    const shapes = fields.map(([field, { optional, type }]): [string, Shape] => [
      optional ? `${field}?` : field,
      this.#shape(type),
    ]);
    this.#objects[name] = Object.fromEntries(object.isOpen ? [...shapes, ['*', 'any']] : shapes);
    return name;
  }

  #shape(type: FieldType): Shape {
    switch (type.kind) {
      case 'literal':
        return { in: [type.value] };
      case 'array':
        return { list: this.#shape(type.of) };
      case 'object':
        return { ref: this.object(type.object) };
      case 'union':
        return unionOf(type.of.map((own) => this.#shape(own)));
      default:
        return type.kind;
    }
  }
}

function isInBody({ documentation }: Field): boolean {
  return !/Header param:|not supported in Gemini API/.test(documentation);
}

/** Flat; literals are one list; a known name beside any text is any text. */
function unionOf(shapes: readonly Shape[]): Shape {
  const flat = shapes.flatMap((shape) => (typeof shape === 'object' && 'one' in shape ? shape.one : [shape]));
  if (flat.includes('any')) return 'any';
  const values = flat.flatMap((shape) => (typeof shape === 'object' && 'in' in shape ? shape.in : []));
  const isAnyText = flat.includes('string');
  const kept = values.filter((value) => !(isAnyText && typeof value === 'string'));
  const others = flat.filter((shape) => !(typeof shape === 'object' && 'in' in shape));
  const distinct = [...new Map(others.map((shape) => [JSON.stringify(shape), shape])).values()];
  const all: Shape[] = [...distinct, ...(kept.length === 0 ? [] : [{ in: [...new Set(kept)] }])];
  return all.length === 1 && all[0] !== undefined ? all[0] : { one: all };
}
