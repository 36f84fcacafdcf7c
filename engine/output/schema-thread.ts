/** The thread that compiles schemas and checks answers against them. */
import { createHash } from 'node:crypto';
import { BoundedMap } from '../../platform/bounded-map.ts';
import { serveThread } from '../../platform/threads/serve-thread.ts';
import { compileSchema, type FaultsOf } from './compile-schema.ts';
import type { OutputVerdict } from './output-checker.ts';
import { type CheckRequest, checkRequestSchema } from './threaded-output-checker.ts';

const COMPILED_SCHEMAS = 200;
const ANY: FaultsOf = () => [];

await serveThread(() => {
  const compiled = new BoundedMap<string, FaultsOf>(COMPILED_SCHEMAS);
  const compile = (json: string) =>
    compiled.getOrCreate(createHash('sha256').update(json).digest('base64'), () =>
      compileSchema(JSON.parse(json)),
    );
  return (message) => verdictOf(checkRequestSchema.parse(message), compile);
});

function verdictOf({ schemaJson, text }: CheckRequest, compile: (json: string) => FaultsOf): OutputVerdict {
  let faultsOf = ANY;
  try {
    if (schemaJson !== null) faultsOf = compile(schemaJson);
  } catch (error) {
    return { result: 'unchecked', reason: messageOf(error) };
  }
  if (text === null) return { result: 'fits' };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { result: 'unfit', faults: [{ path: '', message: `is not JSON: ${messageOf(error)}` }] };
  }
  try {
    const faults = faultsOf(value);
    return faults.length === 0 ? { result: 'fits' } : { result: 'unfit', faults };
  } catch (error) {
    // A schema that refers to itself without an end, or an own key `valueOf` in a value that is compared.
    return { result: 'unchecked', reason: messageOf(error) };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
