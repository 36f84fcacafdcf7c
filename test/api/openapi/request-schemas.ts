/** Every schema that checks requests, found in the code that checks them, so a new one is included automatically. */
import { join } from 'node:path';
import { z } from 'zod';
import { projectFiles, ROOT, readProjectFile } from '../../house/project-files.ts';

/** Calls that check values of a request; one of the two arguments names the schema. */
const CHECK = /\b(?:parseBody|parseQuery|parseWith)\(\s*([\w.]+),\s*(\w+)/g;
/** Programs, which have effects when they are imported. */
const PROGRAMS: ReadonlySet<string> = new Set(['api/main.ts']);
/** Home of the check itself, and of what passes a schema on to it. */
const CHECKER = 'api/http/read-request.ts';

interface RequestSchema {
  readonly name: string;
  readonly schema: z.ZodType;
}

/** @throws when a schema is not exported, because the test cannot inspect it */
export async function requestSchemas(): Promise<RequestSchema[]> {
  const exported = new Map<string, z.ZodType>();
  for (const path of projectFiles('.ts').filter(isRead)) {
    const values: Record<string, unknown> = await import(join(ROOT, path));
    for (const [name, value] of Object.entries(values))
      if (value instanceof z.ZodType) exported.set(name, value);
  }
  return [...namesOfSchemas()].map((name) => {
    const schema = exported.get(name);
    if (schema === undefined) throw new Error(`${name} checks requests and is not exported`);
    return { name, schema };
  });
}

function isRead(path: string): boolean {
  return (path.startsWith('api/') || path.startsWith('contracts/')) && !PROGRAMS.has(path);
}

function namesOfSchemas(): Set<string> {
  const names = new Set<string>();
  for (const path of projectFiles('.ts').filter((file) => file.startsWith('api/') && file !== CHECKER)) {
    for (const [, first = '', second = ''] of readProjectFile(path).matchAll(CHECK)) {
      // `parseWith` takes the schema first, the others take the request first.
      const name = first.endsWith('Schema') ? first : second;
      if (name.endsWith('Schema')) names.add(name);
      else if (first !== 'schema') throw new Error(`${path}: the schema of ${first}, ${second} has no name`);
    }
  }
  return names;
}

/** The paths of lists without a maximal length, and of records without a maximal number of keys. */
export function unlimitedIn(schema: z.ZodType, at: string, seen = new Set<z.ZodType>()): string[] {
  if (seen.has(schema)) return [];
  seen.add(schema);
  const own = isUnlimited(schema) ? [at] : [];
  return [...own, ...childrenOf(schema).flatMap(([name, child]) => unlimitedIn(child, `${at}${name}`, seen))];
}

function isUnlimited(schema: z.ZodType): boolean {
  if (schema instanceof z.ZodRecord) return true;
  if (!(schema instanceof z.ZodArray)) return false;
  // A longest length is looked at before the elements are.
  return schema.def.checks?.some((check) => check._zod.def.check === 'max_length') !== true;
}

type Child = readonly [string, z.ZodType];

function childrenOf(schema: z.ZodType): Child[] {
  if (schema instanceof z.ZodObject) {
    return Object.entries(schema.shape).map(([key, value]): Child => [`.${key}`, value as z.ZodType]);
  }
  if (schema instanceof z.ZodArray) return [['[]', schema.element as z.ZodType]];
  if (schema instanceof z.ZodUnion) {
    return schema.options.map((option, index): Child => [`|${index}`, option as z.ZodType]);
  }
  if (schema instanceof z.ZodPipe) {
    // A limit on the keys stands before its record.
    const record = schema.out;
    if (record instanceof z.ZodRecord && typeof schema.meta()?.['maxProperties'] === 'number') {
      return [['{}', record.valueType as z.ZodType]];
    }
    return [
      ['|in', schema.in as z.ZodType],
      ['|out', record as z.ZodType],
    ];
  }
  if (schema instanceof z.ZodRecord) return [['{}', schema.valueType as z.ZodType]];
  const inner = 'innerType' in schema.def ? schema.def.innerType : undefined;
  return inner instanceof z.ZodType ? [['', inner]] : [];
}
