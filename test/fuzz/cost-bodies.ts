/** Every list, map and text of every body that a route takes, each made as long as one likes. */
import fc from 'fast-check';
import { pick, type Random } from '../harness/random.ts';
import { type AppRoute, routesOfApp } from './app-routes.ts';
import { ALPHABETS, BODY_BYTES, type CostFamily, growing, post } from './cost-families.ts';
import { goodBodies } from './route-bodies.ts';

/** Stands in a body where what grows belongs. */
const PLACE = '"the place that grows"';
const SAMPLES = 40;
const LISTED = ['{}', '[]', '""', '0', 'null'];
/** These change what all other routes of a tenant may do. */
const HARMS_ITS_TENANT = /budgets|\/keys|\/cap|\/stop|\/cancel|^\/v1\/cache|\/codec\//;

interface Place {
  readonly path: string;
  readonly kind: 'list' | 'map' | 'text';
  /** The body as JSON, with `PLACE`. */
  readonly body: string;
  /** What a list has there already, as JSON. */
  readonly item: string | null;
}

export function familiesOfBodies(random: Random): CostFamily[] {
  const routes = routesOfApp().filter(
    ({ method, path }) => method !== 'GET' && method !== 'DELETE' && !HARMS_ITS_TENANT.test(path),
  );
  return routes.flatMap((route) =>
    placesOf(route, random.seed).map((place) => familyOf(route, place, random)),
  );
}

function placesOf(route: AppRoute, seed: number): Place[] {
  const good = goodBodies(route);
  if (good === null) return [];
  const places = new Map<string, Place>();
  for (const body of fc.sample(good, { seed, numRuns: SAMPLES })) {
    for (const place of placesIn(body, body, [])) {
      const known = places.get(place.path);
      if (known === undefined || known.item === null) places.set(place.path, place);
    }
  }
  return [...places.values()];
}

function placesIn(body: unknown, value: unknown, path: readonly (string | number)[]): Place[] {
  const name = path.map((part) => (typeof part === 'number' ? '*' : part)).join('.');
  const whole = () => JSON.stringify(withPlace(body, path));
  if (typeof value === 'string') return [{ path: name, kind: 'text', body: whole(), item: null }];
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.entries(value).flatMap(([key, member]) =>
    placesIn(body, member, [...path, Array.isArray(value) ? Number(key) : key]),
  );
  const isList = Array.isArray(value);
  const item = isList && value.length > 0 ? JSON.stringify(value[0]) : null;
  return [{ path: name, kind: isList ? 'list' : 'map', body: whole(), item }, ...inner];
}

function withPlace(body: unknown, [part, ...rest]: readonly (string | number)[]): unknown {
  if (part === undefined) return JSON.parse(PLACE);
  if (Array.isArray(body))
    return body.map((member, place) => (place === part ? withPlace(member, rest) : member));
  return { ...(body as object), [part]: withPlace((body as Record<string, unknown>)[part], rest) };
}

function familyOf(
  { method, path: route }: AppRoute,
  { path, kind, body, item }: Place,
  random: Random,
): CostFamily {
  const alphabet = pick(random, ALPHABETS);
  const listed = item !== null && random.between(1, 2) === 1 ? item : pick(random, LISTED);
  const pieceBytes = { list: listed.length + 1, map: 14, text: Buffer.byteLength(alphabet) }[kind];
  const grown = (size: number) => {
    if (kind === 'text') return JSON.stringify(alphabet.repeat(size));
    if (kind === 'list') return `[${Array(size).fill(listed).join()}]`;
    return `{${Array.from({ length: size }, (_, place) => `"k${place}":0`).join()}}`;
  };
  const of = { list: listed, map: 'keys', text: JSON.stringify(alphabet) }[kind].slice(0, 60);
  const target = route.replaceAll(/[:*](\w+)/g, 'x');
  return {
    name: `${method} ${route}: n of ${of} at ${path === '' ? 'the root' : path}`,
    sizes: growing(2_000, Math.max(4_000, Math.floor((BODY_BYTES - 4_000) / pieceBytes / 1.2)), 16),
    make: (size) => ({
      requests: [
        post(
          target,
          body.replace(PLACE, () => grown(size)),
          method,
        ),
      ],
    }),
  };
}
