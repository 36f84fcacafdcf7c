/** Sends one field through the product to a provider, and finds out what became of it. */
import { isDeepStrictEqual } from 'node:util';
import type { Simulator } from '../simulator.ts';
import type { ReachedObject } from './examples.ts';
import type { Format, Upstream } from './formats.ts';
import { UPSTREAMS } from './formats.ts';
import type { Field } from './read-types.ts';
import { reasonToIgnore } from './reasons.ts';

/** What became of a field at a provider; starts with one of `OUTCOMES`. */
export type Outcome = string;
export const OUTCOMES = ['passed on', 'translated', 'rejected', 'dropped', 'ignored', 'LOST'] as const;

interface Sent {
  readonly status: number;
  /** The names in the header that says what did not reach the model. */
  readonly dropped: string;
  /** The message of an error; '' for none. */
  readonly message: string;
  /** How many requests the provider received. */
  readonly calls: number;
  /** The first that it received; null if none. */
  readonly upstream: Readonly<Record<string, unknown>> | null;
}

export const MODEL_PREFIX = 'field-';
let sequence = 0;

export class FieldCheck {
  readonly #format: Format;
  readonly #base: string;
  readonly #headers: Record<string, string>;
  readonly #sim: Simulator;
  readonly #withoutField = new Map<string, Promise<Sent>>();

  constructor(format: Format, { base, key, sim }: { base: string; key: string; sim: Simulator }) {
    this.#format = format;
    this.#base = base;
    this.#sim = sim;
    this.#headers = {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'x-unbroken-cache': 'off',
      // The simulator's text is no answer to a schema, and would be asked for again.
      'x-unbroken-output-check': 'off',
    };
  }

  /** @returns the outcome of each field of the object, by `Type.field`. */
  async outcomesOf(reached: ReachedObject, upstream: Upstream): Promise<ReadonlyMap<string, Outcome>> {
    const outcomes = new Map<string, Outcome>();
    for (const [name, field] of reached.object.fields) {
      const outcome = await this.#outcomeOf(reached, { name, field, upstream });
      outcomes.set(`${reached.object.name}.${name}`, outcome);
    }
    return outcomes;
  }

  async #outcomeOf(
    reached: ReachedObject,
    { name, field, upstream }: { name: string; field: Field; upstream: Upstream },
  ): Promise<Outcome> {
    const outcome = await this.#observe(reached, { name, field, upstream });
    const reason = reasonToIgnore(this.#format.name, `${reached.object.name}.${name}`);
    return outcome.startsWith('LOST') && reason !== null ? `ignored: ${reason}` : outcome;
  }

  async #observe(
    reached: ReachedObject,
    { name, field, upstream }: { name: string; field: Field; upstream: Upstream },
  ): Promise<Outcome> {
    const body = this.#format.examples.requestWith(reached, name);
    const sent = await this.#send(body, upstream);
    const names = namesOf(body, reached, name);
    if (sent.status === 400) return isNamed(sent.message, names) ? 'rejected' : `LOST: ${sent.message}`;
    if (sent.upstream === null) return `LOST: ${sent.status} ${sent.message}`;
    if (isNamed(sent.dropped, names)) return 'dropped';
    const without = await this.#sendWithout(reached, { name, field, upstream });
    if (without.calls > 0 && sent.calls !== without.calls) return `translated: ${sent.calls} calls`;
    const value = valueAt(body, reached, name);
    const changed = changedPaths(sent.upstream, without.upstream ?? {});
    const equal = pathsWith(sent.upstream, value);
    // A required field is in both requests where its object is; an optional one must have made the difference.
    const carrying = field.optional
      ? equal.filter((path) => changed.some((own) => path.startsWith(own)))
      : equal;
    const path = shortest(carrying.length > 0 ? carrying : changed);
    // Such a text stands nowhere else, so it must be found.
    const isLost = isUnique(value) && equal.length === 0;
    if (isLost || path === '' || changed.length === 0) return 'LOST';
    const isSameName = carrying.some((own) => own === name || own.endsWith(`.${name}`));
    const isSameFormat = this.#format.name === upstream;
    return isSameFormat && (isSameName || hasName(changed, name)) ? 'passed on' : `translated: ${path}`;
  }

  /** The same request without an optional field; for a required one, without the object, or with another value. */
  #sendWithout(
    reached: ReachedObject,
    { name, field, upstream }: { name: string; field: Field; upstream: Upstream },
  ): Promise<Sent> {
    const { examples, root } = this.#format;
    const isRoot = reached.object === root;
    const isOptional = field.optional && !examples.isNeeded(reached.object, name);
    const key = `${upstream} ${isOptional ? reached.object.name : isRoot ? name : ''}`;
    const known = this.#withoutField.get(key);
    if (known !== undefined) return known;
    const least = examples.requestWith({ object: root, steps: [] });
    const other = { ...least, [name]: field.type.kind === 'number' ? 17 : [] };
    const body = isOptional ? examples.requestWith(reached) : isRoot ? other : least;
    const sent = this.#send(body, upstream);
    this.#withoutField.set(key, sent);
    return sent;
  }

  /** Where a worker had too little of the machine, an attempt was lost and called again: no field does that twice. */
  async #send(body: Record<string, unknown>, upstream: Upstream): Promise<Sent> {
    const sent = await this.#sendOnce(body, upstream);
    if (sent.calls <= 1) return sent;
    const again = await this.#sendOnce(body, upstream);
    return again.calls < sent.calls ? again : sent;
  }

  async #sendOnce(body: Record<string, unknown>, upstream: Upstream): Promise<Sent> {
    sequence += 1;
    const model = `${MODEL_PREFIX}${sequence}-`;
    const request = this.#format.complete(body, `${UPSTREAMS[upstream]}/${model}`);
    const response = await fetch(`${this.#base}${this.#format.path}`, {
      method: 'POST',
      headers: this.#headers,
      body: JSON.stringify(request),
    });
    const text = await response.text();
    const received = response.status === 400 ? [] : await this.#sim.received(model);
    return {
      status: response.status,
      dropped: response.headers.get('x-unbroken-dropped') ?? '',
      message: response.ok ? '' : text,
      calls: received.length,
      upstream: received[0]?.body ?? null,
    };
  }
}

/** The type that an object of a union names itself by. */
function typeOf({ object }: ReachedObject): string {
  const type = object.fields.get('type')?.type;
  return type?.kind === 'literal' ? String(type.value) : '';
}

/** Whether a text has one of the names, whatever their spelling. */
function isNamed(text: string, names: readonly string[]): boolean {
  const plain = (value: string) => value.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  return names.some((name) => name !== '' && plain(text).includes(plain(name)));
}

/** A text that was made for this field. */
function isUnique(value: unknown): boolean {
  return typeof value === 'string' && value.startsWith('value-of-');
}

/** Lists that hold most of a request: their names say nothing of what was refused. */
const HOLDERS = ['messages', 'content', 'input', 'system'];

/** The names by which an error or a header may mean a field: its own, or that of what it is part of. */
function namesOf(body: Record<string, unknown>, reached: ReachedObject, name: string): readonly string[] {
  const holders = reached.steps.map(({ field }) => field).filter((field) => !HOLDERS.includes(field));
  const isThought = ['thinking', 'redacted_thinking', 'reasoning'].includes(typeOf(reached));
  const types = reached.steps.flatMap((_, depth) => {
    const type = valueAt(body, { steps: reached.steps.slice(0, depth + 1) }, 'type');
    return typeof type === 'string' ? [type] : [];
  });
  const role = reached.object.fields.has('role') ? ['role'] : [];
  return [name, ...holders, ...types, ...role, ...(isThought ? ['reasoning'] : [])];
}

/** The value of the field in the request that was built for it. */
function valueAt(
  body: Record<string, unknown>,
  { steps }: Pick<ReachedObject, 'steps'>,
  name: string,
): unknown {
  let held: unknown = body;
  for (const { field, lists } of steps) {
    held = (held as Record<string, unknown>)[field];
    for (let list = 0; list < lists; list += 1) held = (held as unknown[])[0];
  }
  return (held as Record<string, unknown>)[name];
}

/** The paths whose value is this one, or a text that contains it. */
function pathsWith(value: unknown, wanted: unknown, path = ''): string[] {
  const isText = typeof wanted === 'string' && typeof value === 'string' && wanted.length > 3;
  if (isText ? value.includes(wanted) : isDeepStrictEqual(value, wanted)) return [path];
  if (!isObject(value)) return [];
  const isList = Array.isArray(value);
  return Object.entries(value).flatMap(([name, own]) =>
    pathsWith(own, wanted, isList ? `${path}[]` : path === '' ? name : `${path}.${name}`),
  );
}

function hasName(paths: readonly string[], name: string): boolean {
  return paths.some((path) => path.split(/[.[]/).includes(name));
}

/** The paths at which two values differ, without the places in lists. */
function changedPaths(a: unknown, b: unknown, path = ''): string[] {
  if (JSON.stringify(a) === JSON.stringify(b)) return [];
  if (!isObject(a) || !isObject(b) || Array.isArray(a) !== Array.isArray(b))
    return path === 'model' ? [] : [path];
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  const changed = [...names].flatMap((name) => {
    const inner = Array.isArray(a) ? `${path}[]` : path === '' ? name : `${path}.${name}`;
    return changedPaths(a[name], b[name], inner);
  });
  return [...new Set(changed)];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function shortest(paths: readonly string[]): string {
  return [...paths].sort((a, b) => a.length - b.length)[0] ?? '';
}
