/** Builds valid requests from the types of an SDK: the smallest one that has an object, with or without one field. */
import type { Field, FieldType, ObjectType } from './read-types.ts';

/** How an object of the request is reached: the field of its parent that holds it, and the lists around it there. */
interface Step {
  readonly parent: ObjectType;
  readonly field: string;
  readonly lists: number;
}

export interface ReachedObject {
  readonly object: ObjectType;
  /** From the request down. */
  readonly steps: readonly Step[];
}

/** Values where any value of the type is not enough; by `Type.field`, else by field. */
export type ExampleValues = Readonly<Record<string, unknown>>;

/** All objects of a request, each by its shortest path. */
export function reachableObjects(root: ObjectType): readonly ReachedObject[] {
  const found = new Map<ObjectType, ReachedObject>([[root, { object: root, steps: [] }]]);
  for (const { object, steps } of found.values()) {
    for (const [field, { type }] of object.fields) {
      for (const { object: inner, lists } of objectsIn(type)) {
        const step = { parent: object, field, lists };
        if (!found.has(inner)) found.set(inner, { object: inner, steps: [...steps, step] });
      }
    }
  }
  return [...found.values()];
}

function objectsIn(type: FieldType, lists = 0): { object: ObjectType; lists: number }[] {
  if (type.kind === 'object') return [{ object: type.object, lists }];
  if (type.kind === 'array') return objectsIn(type.of, lists + 1);
  return type.kind === 'union' ? type.of.flatMap((own) => objectsIn(own, lists)) : [];
}

export class Examples {
  readonly #values: ExampleValues;

  constructor(values: ExampleValues) {
    this.#values = values;
  }

  /** A request that holds the object, with these optional fields of it. */
  requestWith({ object, steps }: ReachedObject, fields: readonly string[] = []): Record<string, unknown> {
    let value = this.#instance(object, fields);
    for (const { parent, field: holder, lists } of steps.toReversed()) {
      let held: unknown = value;
      for (let list = 0; list < lists; list += 1) held = [held];
      value = { ...this.#instance(parent), [holder]: held };
    }
    return value;
  }

  #instance(object: ObjectType, added: readonly string[] = []): Record<string, unknown> {
    const instance: Record<string, unknown> = {};
    for (const [name, field] of object.fields) {
      if (!field.optional || added.includes(name) || this.isNeeded(object, name)) {
        instance[name] = this.#valueOf(object, name, field);
      }
    }
    return instance;
  }

  /** Fields that the types call optional, and the vendors require. */
  isNeeded(object: ObjectType, name: string): boolean {
    return Object.hasOwn(this.#values, `${object.name}.${name}!`);
  }

  #valueOf(object: ObjectType, name: string, { type }: Field): unknown {
    const full = `${object.name}.${name}`;
    for (const key of [`${full}!`, full, name]) {
      if (Object.hasOwn(this.#values, key)) return this.#values[key];
    }
    return this.#example(type, full);
  }

  #example(type: FieldType, name: string): unknown {
    switch (type.kind) {
      case 'string':
        // Vendors take no dots in the names of tools.
        return `value-of-${name.replaceAll('.', '-')}`;
      case 'number':
        return 4_321;
      case 'boolean':
        return true;
      case 'literal':
        return type.value;
      case 'array':
        return [this.#example(type.of, name)];
      case 'union': {
        const first = type.of.find(({ kind }) => kind !== 'null' && kind !== 'any') ?? type.of[0];
        return first === undefined ? null : this.#example(first, name);
      }
      case 'object':
        return this.#instance(type.object);
      case 'any':
        return { example: name };
      case 'null':
        return null;
    }
  }
}
