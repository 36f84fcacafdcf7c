/** Sends one field through the product to a provider, and finds out what became of it. */
import type { ReachedObject } from './examples.ts';
import {
  changedPaths,
  hasName,
  isNamed,
  isUnique,
  namesOf,
  pathsWith,
  shortest,
  valueAt,
} from './find-values.ts';
import type { Format, Upstream } from './formats.ts';
import type { Field } from './read-types.ts';
import { reasonToIgnore } from './reasons.ts';
import type { RequestSender, Sent } from './send-request.ts';

/** What became of a field at a provider; starts with one of `OUTCOMES`. */
export type Outcome = string;
export const OUTCOMES = ['passed on', 'translated', 'rejected', 'dropped', 'ignored', 'LOST'] as const;

export class FieldCheck {
  readonly #format: Format;
  readonly #sender: RequestSender;

  constructor(format: Format, sender: RequestSender) {
    this.#format = format;
    this.#sender = sender;
  }

  /** @param name of a field of the object. */
  async outcomeOf(reached: ReachedObject, name: string, upstream: Upstream): Promise<Outcome> {
    const field = reached.object.fields.get(name);
    if (field === undefined) throw new Error(`${reached.object.name} has no ${name}`);
    const outcome = await this.#observe(reached, { name, field, upstream });
    const reason = reasonToIgnore(this.#format.name, `${reached.object.name}.${name}`);
    return outcome.startsWith('LOST') && reason !== null ? `ignored: ${reason}` : outcome;
  }

  async #observe(
    reached: ReachedObject,
    { name, field, upstream }: { name: string; field: Field; upstream: Upstream },
  ): Promise<Outcome> {
    const body = this.#format.examples.requestWith(reached, [name]);
    const sent = await this.#sender.send(body, upstream);
    const names = namesOf(body, reached, name);
    // What the example names does not exist: that is no word about the field.
    const isUnknown = /"message":"[^"]* not found\."/.test(sent.message);
    if (sent.status === 400 && !isUnknown)
      return isNamed(sent.message, names) ? 'rejected' : `LOST: ${sent.message}`;
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
    const least = examples.requestWith({ object: root, steps: [] });
    const other = { ...least, [name]: field.type.kind === 'number' ? 17 : [] };
    const body = isOptional ? examples.requestWith(reached) : isRoot ? other : least;
    return this.#sender.send(body, upstream);
  }
}
