/**
 * Sends several fields in one request where each can be distinguished from the others, and finds those of which the
 * table is still right. It confirms only: any other field is asked for alone, so that a finding is always about one
 * field.
 *
 * A field counts as confirmed where its value is at the place that the table expects exactly once more than without the
 * fields. Each of them has put it there when it was alone, so one that is lost leaves a place empty.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Outcome } from './check-field.ts';
import type { ReachedObject } from './examples.ts';
import { changedPaths, isNamed, namesOf, pathsWith, shortest, valueAt } from './find-values.ts';
import type { Format, Upstream } from './formats.ts';
import type { RequestSender, Sent } from './send-request.ts';

type Body = Readonly<Record<string, unknown>>;

/** A field, and what the table says of it. */
interface Claim {
  readonly reached: ReachedObject;
  readonly name: string;
  /** A required field is in every request that has its object. */
  readonly isOptional: boolean;
  readonly value: unknown;
  /** By which a header may mean it. */
  readonly names: readonly string[];
  readonly expected: Outcome;
}

/** What the provider received with the fields of some claims, and without them. */
interface Pair {
  readonly full: Sent;
  readonly bare: Sent;
}

/** The fields of the root that hold lists of things that do not depend on each other. */
const LISTS = ['messages', 'input', 'tools'];

/** They name something stored, or change what a provider takes of the others. */
const ALONE = ['conversation', 'previous_response_id', 'reasoning', 'reasoning_effort', 'thinking'];

const isIgnored = ({ expected }: Claim) => expected.startsWith('ignored');
const isDropped = ({ expected }: Claim) => expected === 'dropped';

export class TogetherCheck {
  readonly #format: Format;
  readonly #upstream: Upstream;
  readonly #sender: Pick<RequestSender, 'send'>;
  /** Requests that were built before, by their object and its optional fields. */
  readonly #built = new Map<ReachedObject, Map<string, Body>>();

  constructor(format: Format, upstream: Upstream, sender: Pick<RequestSender, 'send'>) {
    this.#format = format;
    this.#upstream = upstream;
    this.#sender = sender;
  }

  /**
   * @param expected outcomes, by `Type.field`.
   * @returns those fields of the objects whose outcome is the expected one, as `Type.field`.
   */
  async confirmed(
    objects: readonly ReachedObject[],
    expected: ReadonlyMap<string, Outcome>,
  ): Promise<ReadonlySet<string>> {
    const claims = objects.flatMap((reached) => this.#claimsOf(reached, expected));
    const found: Claim[] = [];
    for (const group of this.#groups(claims)) found.push(...(await this.#confirm(group)));
    return new Set(found.map(({ reached, name }) => `${reached.object.name}.${name}`));
  }

  #claimsOf(reached: ReachedObject, expected: ReadonlyMap<string, Outcome>): Claim[] {
    const { examples, root } = this.#format;
    const claims = [...reached.object.fields].map(([name, { optional }]): Claim => {
      const body = this.#requestWith(reached, [name]);
      return {
        reached,
        name,
        isOptional: optional && !examples.isNeeded(reached.object, name),
        value: valueAt(body, reached, name),
        names: namesOf(body, reached, name),
        expected: expected.get(`${reached.object.name}.${name}`) ?? 'LOST',
      };
    });
    const required = claims.filter(({ isOptional }) => !isOptional);
    // A request with the object alone is refused, or sends something else in its place.
    if (reached.object !== root && !required.every((claim) => isShown(claim) && !isIgnored(claim))) return [];
    return claims.filter(
      (claim) =>
        isShown(claim) && !ALONE.includes(claim.name) && (claim.isOptional || reached.object !== root),
    );
  }

  #requestWith(reached: ReachedObject, fields: readonly string[]): Body {
    const known = this.#built.get(reached) ?? new Map<string, Body>();
    this.#built.set(reached, known);
    const body = known.get(fields.join()) ?? this.#format.examples.requestWith(reached, fields);
    known.set(fields.join(), body);
    return body;
  }

  #groups(claims: readonly Claim[]): Claim[][] {
    const groups: Claim[][] = [];
    for (const claim of claims) {
      const group = groups.find((own) => this.#canJoin(own, claim));
      if (group === undefined) groups.push([claim]);
      else group.push(claim);
    }
    return groups;
  }

  #canJoin(group: readonly Claim[], claim: Claim): boolean {
    return (
      group.every((own) => isIgnored(own) === isIgnored(claim) && !areAlike(own, claim)) &&
      this.#bodies([...group, claim]) !== null
    );
  }

  /** The requests with the optional fields and without; null where their objects cannot be in one request. */
  #bodies(claims: readonly Claim[]): { readonly full: Body; readonly bare: Body } | null {
    let full: Body | null = {};
    let bare: Body | null = {};
    for (const reached of new Set(claims.map((claim) => claim.reached))) {
      const own = claims.filter((claim) => claim.reached === reached && claim.isOptional);
      full = merged(
        full,
        this.#requestWith(
          reached,
          own.map(({ name }) => name),
        ),
      );
      bare = merged(bare, this.#requestWith(reached, []));
      if (full === null || bare === null) return null;
    }
    return { full, bare };
  }

  async #confirm(claims: readonly Claim[]): Promise<readonly Claim[]> {
    const bodies = this.#bodies(claims);
    if (claims.length < 2 || bodies === null) return [];
    const { root } = this.#format;
    const least = await this.#send(this.#requestWith({ object: root, steps: [] }, []));
    const bare = await this.#send(bodies.bare);
    if (!isComparable({ full: bare, bare: least })) return this.#confirmHalves(claims);
    const [optional, required] = [
      claims.filter(({ isOptional }) => isOptional),
      claims.filter(({ isOptional }) => !isOptional),
    ];
    const found = this.#confirmedBy({ full: bare, bare: least }, required);
    if (optional.length === 0) return found;
    const pair = { full: await this.#send(bodies.full), bare };
    const isSure = isComparable(pair) && (!optional.every(isIgnored) || isSame(pair));
    if (!isSure) return [...found, ...(await this.#confirmHalves(optional))];
    return [...found, ...(optional.every(isIgnored) ? optional : this.#confirmedBy(pair, optional))];
  }

  async #confirmHalves(claims: readonly Claim[]): Promise<readonly Claim[]> {
    if (claims.length < 2) return [];
    const middle = Math.ceil(claims.length / 2);
    const first = await this.#confirm(claims.slice(0, middle));
    return [...first, ...(await this.#confirm(claims.slice(middle)))];
  }

  #send(body: Body): Promise<Sent> {
    return this.#sender.send(body, this.#upstream);
  }

  #confirmedBy(pair: Pair, claims: readonly Claim[]): readonly Claim[] {
    const before = namesIn(pair.bare.dropped);
    const entries = namesIn(pair.full.dropped).filter((entry) => !before.includes(entry));
    const entriesOf = ({ name }: Claim) => entries.filter((entry) => isNamed(entry, [name]));
    const dropped = claims.filter((claim) => isDropped(claim) && entriesOf(claim).length === 1);
    const explained = dropped.flatMap(entriesOf);
    // An entry that two fields may mean proves neither.
    const isClear = (entry: string) => claims.filter(({ name }) => isNamed(entry, [name])).length === 1;
    const unexplained = entries.filter((entry) => !explained.includes(entry) || !isClear(entry));
    return claims.filter((claim) =>
      isDropped(claim)
        ? dropped.includes(claim) && entriesOf(claim).every(isClear)
        : !unexplained.some((entry) => isNamed(entry, claim.names)) && this.#hasArrived(claim, pair, claims),
    );
  }

  #hasArrived(claim: Claim, { full, bare }: Pair, claims: readonly Claim[]): boolean {
    const { name, value, expected } = claim;
    const changed = changedPaths(full.upstream, bare.upstream);
    const equal = pathsWith(full.upstream, value);
    const others = claims.filter((other) => other !== claim && isEither(other.value, value));
    const carrying = equal
      .filter((path) => changed.some((own) => path.startsWith(own)))
      .filter((path) => !others.some((other) => isPlaceOf(other, path)));
    const sameName = carrying.filter((path) => isNameOf(path, name));
    const isPassedOn = this.#format.name === this.#upstream && sameName.length > 0;
    const path = shortest(isPassedOn ? sameName : carrying);
    const count = (paths: readonly string[]) => paths.filter((own) => own === path).length;
    return (
      path !== '' &&
      (isPassedOn ? 'passed on' : `translated: ${path}`) === expected &&
      count(equal) - count(pathsWith(bare.upstream, value)) === 1
    );
  }
}

/** Whether a request without an error shows it. */
function isShown({ expected }: Claim): boolean {
  return /^(passed on|translated|dropped|ignored)/.test(expected) && !/\d calls$/.test(expected);
}

/** Headers have names without places; a value at a name must be of one field. */
function areAlike(claim: Claim, other: Claim): boolean {
  if (isDropped(claim) || isDropped(other)) {
    return isNamed(claim.name, [other.name]) || isNamed(other.name, [claim.name]);
  }
  return claim.name === other.name && isEither(claim.value, other.value);
}

/** Whether one of the values counts as the other where it is looked for. */
function isEither(value: unknown, other: unknown): boolean {
  return pathsWith(value, other).includes('') || pathsWith(other, value).includes('');
}

function isAnswered({ status, upstream }: Sent): boolean {
  return status === 200 && upstream !== null;
}

function isComparable({ full, bare }: Pair): boolean {
  return isAnswered(full) && isAnswered(bare) && full.calls === bare.calls;
}

function isSame({ full, bare }: Pair): boolean {
  return full.dropped === bare.dropped && changedPaths(full.upstream, bare.upstream).length === 0;
}

/** Whether the table expects the field at this place. */
function isPlaceOf({ name, expected }: Claim, path: string): boolean {
  return expected === 'passed on' ? isNameOf(path, name) : expected === `translated: ${path}`;
}

function isNameOf(path: string, name: string): boolean {
  return path === name || path.endsWith(`.${name}`);
}

function namesIn(header: string): string[] {
  return header.split(',').filter((name) => name !== '');
}

/** Both requests in one; null where they want different values of one field. */
function merged(body: Body | null, other: Body): Body | null {
  if (body === null) return null;
  const both: Record<string, unknown> = { ...body };
  for (const [name, value] of Object.entries(other)) {
    const own = both[name];
    if (own === undefined) both[name] = value;
    else if (LISTS.includes(name) && Array.isArray(own) && Array.isArray(value)) {
      both[name] = [...own, ...value.filter((item) => !own.some((known) => isDeepStrictEqual(known, item)))];
    } else if (!isDeepStrictEqual(own, value)) return null;
  }
  return both;
}
