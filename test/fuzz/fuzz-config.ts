/**
 * The config file and the environment: whatever stands there, a config comes of it, or an error that says what to
 * correct.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { parse } from 'yaml';
import {
  type Config,
  ConfigError,
  environmentSchema,
  loadConfig,
} from '../../platform/config/load-config.ts';
import { modelsOf } from '../../platform/config/route-schema.ts';
import { PROJECT_ROOT } from '../harness/child-process.ts';
import { cpuMsSince } from '../harness/growth.ts';
import { badText, JsonText, nearly, toJson } from './bad-json.ts';
import { fromSchema, type JsonSchema } from './from-schema.ts';
import { type FuzzPlan, type SurfaceReport, sumOf, tryInputs, type Verdict } from './inputs.ts';

/** No file of this size takes more CPU time to be read and judged. Wall time would measure the machine's other work. */
const LOAD_CPU_MS = 2_000;
const EXAMPLE = readFileSync(join(PROJECT_ROOT, 'unbroken.config.example.yaml'), 'utf8');
const SCHEMA = JSON.parse(
  readFileSync(join(PROJECT_ROOT, 'unbroken.config.schema.json'), 'utf8'),
) as JsonSchema;
const ENVIRONMENT = { UNBROKEN_BUDGET_WEBHOOK_SECRET: 'a-secret-of-more-than-24-chars' };
const KEYS = Object.keys(SCHEMA['properties'] as object);

export async function fuzzConfig({ seed, inputs }: FuzzPlan): Promise<SurfaceReport> {
  const folder = mkdtempSync(join(tmpdir(), 'unbroken-fuzz-'));
  const path = join(folder, 'unbroken.config.yaml');
  const share = (part: number): FuzzPlan => ({ seed, inputs: Math.max(1, Math.round(inputs * part)) });
  try {
    return sumOf('config', [
      await tryInputs('a config of changed values', objects(), share(0.5), (value) =>
        judgeFile(path, toJson(value)),
      ),
      await tryInputs('a config of changed text', yamlTexts(), share(0.3), (text) => judgeFile(path, text)),
      await tryInputs('an environment', environments(), share(0.2), (environment) =>
        judge(environment, null),
      ),
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function judgeFile(path: string, written: string | Uint8Array): Verdict {
  writeFileSync(path, written);
  return judge({ ...ENVIRONMENT, UNBROKEN_CONFIG: path }, path);
}

/** @param path the file that a message may name; null where it is about the environment. */
function judge(environment: Readonly<Record<string, string>>, path: string | null): Verdict {
  const { verdict, cpuMs } = judgeOnce(environment, path);
  if (verdict !== null || cpuMs <= LOAD_CPU_MS) return verdict;
  // The collector may have had the heap of the whole process to read meanwhile.
  const again = judgeOnce(environment, path).cpuMs;
  return again > LOAD_CPU_MS ? `it took ${Math.round(again)} ms of CPU time` : null;
}

function judgeOnce(
  environment: Readonly<Record<string, string>>,
  path: string | null,
): { readonly verdict: Verdict; readonly cpuMs: number } {
  const begunAt = process.cpuUsage();
  let verdict: Verdict = null;
  try {
    verdict = judgeConfig(loadConfig(environment));
  } catch (error) {
    verdict = judgeError(error, path === null ? Object.keys(environment) : [path, ...KEYS]);
  }
  if (Object.keys(Object.prototype).length > 0) verdict = 'the prototype of all objects was polluted';
  return { verdict, cpuMs: cpuMsSince(begunAt) };
}

/** A config that was taken must hold what its parts name. */
function judgeConfig({ routes, providers, output, compression }: Config): Verdict {
  const named = Object.values(routes).flatMap(modelsOf);
  const unknown = named.find(({ provider }) => !Object.hasOwn(providers, provider));
  if (unknown !== undefined) return `a route names the provider ${unknown.provider}, which is not there`;
  const parts = [...Object.keys(output.routes), ...Object.keys(compression.routes)];
  const lost = parts.find((route) => !Object.hasOwn(routes, route));
  return lost === undefined ? null : `a part names the route ${lost}, which is not there`;
}

function judgeError(error: unknown, names: readonly string[]): Verdict {
  if (!(error instanceof ConfigError))
    return `no ConfigError: ${error instanceof Error ? error.stack : error}`;
  const { message } = error;
  // A fault of the whole file is reported as one of `config`.
  const isNamed =
    names.some((name) => message.includes(name)) || /Unrecognized key|: expected/i.test(message);
  return isNamed ? null : `the message names no key: ${message}`;
}

/** The example and what the schema takes, changed. */
function objects(): fc.Arbitrary<unknown> {
  return nearly(fc.oneof(fc.constant(parse(EXAMPLE) as unknown), fromSchema(SCHEMA)), 4);
}

const YAML_ODDITIES = [
  'a: &a [*a]\n',
  'providers: &p { x: *p }\n',
  '<<: { routes: 1 }\n',
  '? [a, b]\n: c\n',
  '!!binary aGk=\n',
  '%YAML 9.9\n---\n',
  '--- 1\n--- 2\n',
  '\ufeff',
  '\u0000',
  '\t- x\n',
  'limits: !!js/function "x"\n',
  '{',
  '"',
  'a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c]\n',
  '__proto__: { polluted: true }\n',
  'constructor: { prototype: { polluted: true } }\n',
  'null: 1\n',
  '12: 1\n',
  'routes: 2026-01-01\n',
  'http: .inf\n',
  'http: { headersMs: .nan }\n',
  'limits: 0o777\n',
  '[]\n',
  '~\n',
  '- 1\n',
  'routes: { default: { candidates: [constructor/x] } }\n',
  'routes: { default: { candidates: [__proto__/x] } }\n',
  'cache: { judge: { model: toString/x } }\n',
  'routes: { __proto__: { candidates: [openai/x] } }\n',
  'output: { routes: { constructor: { concise: true } } }\n',
  'output: { routes: { __proto__: {} } }\n',
];

/** The example as text, with bytes cut out, put in and doubled, and with YAML that few write. */
function yamlTexts(): fc.Arbitrary<string | Uint8Array> {
  const place = fc.nat({ max: EXAMPLE.length });
  const cut = fc.tuple(place, fc.nat({ max: 60 })).map(
    ([at, length]) =>
      (text: string) =>
        text.slice(0, at) + text.slice(at + length),
  );
  const odd = fc.oneof(
    fc.constantFrom(...YAML_ODDITIES),
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.constantFrom(
      `a: ${'['.repeat(2_000)}`,
      `${'a: {'.repeat(2_000)}`,
      `${'- '.repeat(5_000)}\n`,
      'x'.repeat(100_000),
    ),
  );
  const put = fc.tuple(place, odd).map(
    ([at, insert]) =>
      (text: string) =>
        text.slice(0, at) + insert + text.slice(at),
  );
  const edits = fc.array(fc.oneof(cut, put), { minLength: 1, maxLength: 3 });
  return fc.oneof(
    fc.constantFrom(...YAML_ODDITIES),
    edits.map((all) => all.reduce((text, edit) => edit(text), EXAMPLE)),
    fc.uint8Array({ maxLength: 64 }),
  );
}

const VARIABLES = [
  ...Object.keys(environmentSchema.shape),
  'OPENAI_API_KEY',
  'ANTHROPIC_API_KEY',
  'NODE_ENV',
];

function environments(): fc.Arbitrary<Record<string, string>> {
  const text = badText.map((value) => (value instanceof JsonText ? value.text : String(value)));
  const values = fc.oneof(
    text,
    fc.constantFrom('0', '65536', '1.5', 'http://', 'redis://', 'k1:AAAA', 'http://a b'),
  );
  return fc.dictionary(fc.constantFrom(...VARIABLES), values, {
    minKeys: 1,
    maxKeys: 4,
    noNullPrototype: true,
  });
}
