/** Every route of the real API, with requests that are nearly right. */
import type { GenerationView } from '../../contracts/generation.ts';
import { buildDocs } from '../harness/build-docs.ts';
import type { Stack } from '../harness/stack.ts';
import { connectApi } from '../harness/unbroken-api.ts';
import { waitFor } from '../harness/wait-for.ts';
import { type AppRoute, routesOfApp } from './app-routes.ts';
import { ask, judge } from './ask-api.ts';
import { type FuzzPlan, inTurns, type SurfaceReport, sumOf, tryInputs } from './inputs.ts';
import { type KnownNames, requestsFor } from './route-requests.ts';

/** A separate tenant per route, so that limits set for one stop no other route. */
interface Tenant {
  /** With all scopes of a tenant. */
  readonly key: string;
  /** Belongs to a user who may act only for themselves. */
  readonly userKey: string;
  readonly known: KnownNames;
}

/** The environment of the processes under test. */
export const WATCH_PROTOTYPES = { NODE_OPTIONS: '--import ./test/fuzz/watch-prototypes.ts' };

const AT_ONCE = 3;
/** In what the other tenant has written, and in no name that the inputs are made of. */
const CANARY = 'words of another tenant';
/** These change what all other routes of a tenant may do. */
const HARMS_ITS_TENANT = /budgets|\/keys|\/cap|\/stop|\/cancel|^\/v1\/cache/;
const SHORT = 'Hello. [[sim tokens=4 delay_ms=0]]';

export async function fuzzRoutes(stack: Stack, { seed, inputs }: FuzzPlan): Promise<SurfaceReport> {
  await buildDocs();
  const routes = routesOfApp();
  const other = await makeTenant(stack, 'other', CANARY);
  // All forms of an id share its hexadecimal part.
  const ids = (other.known['id'] ?? []).flatMap((id) => /_([0-9a-f]{16,})$/.exec(id)?.[1] ?? []);
  const secrets = [CANARY, ...ids];
  const [safe, harmed] = await Promise.all([
    makeTenant(stack, 'fuzz', 'words'),
    makeTenant(stack, 'fuzz-harmed', 'words'),
  ]);
  const served = new Set<AppRoute>();
  const perRoute = Math.max(1, Math.ceil(inputs / routes.length));
  const reports = await inTurns(routes, AT_ONCE, async (route) => {
    const tenant = HARMS_ITS_TENANT.test(route.path) ? harmed : safe;
    return tryRoute(stack, { route, tenant, other, secrets, served }, { seed, inputs: perRoute });
  });
  const ended = await Promise.all([safe, harmed].map((tenant) => allEnd(stack, tenant)));
  const after = [...ended.flat(), ...faultsInLogs(stack)];
  const note = `${served.size} of ${routes.length} routes served at least one`;
  return sumOf('routes', [...reports, { surface: 'after', inputs: 0, failures: after }], note);
}

interface RouteTrial {
  readonly route: AppRoute;
  readonly tenant: Tenant;
  readonly other: Tenant;
  /** What only the other tenant may see. */
  readonly secrets: readonly string[];
  /** Gets the routes that served some request: a fuzzer that is always refused at the door tries little. */
  readonly served: Set<AppRoute>;
}

function tryRoute(
  { api }: Stack,
  { route, tenant: { key, userKey, known }, other, secrets, served }: RouteTrial,
  plan: FuzzPlan,
): Promise<SurfaceReport> {
  const keys = { admin: key, user: userKey, nobody: null, stranger: 'ub_no_such_key_00000000' };
  const all = Object.fromEntries(
    Object.entries(known).map(([name, ids]) => [name, [...ids, ...(other.known[name] ?? [])]]),
  );
  return tryInputs(`${route.method} ${route.path}`, requestsFor(route, all), plan, async (request) => {
    // What the caller sent itself may come back in an answer.
    const sentText = JSON.stringify([request.target, request.headers]);
    const foreign = secrets.filter((secret) => !sentText.includes(secret));
    try {
      const answer = await ask(api.url, request, keys[request.caller]);
      if (answer !== null && answer.status < 300) served.add(route);
      return judge(answer, request.method, foreign);
    } catch (error) {
      return `the connection broke without an answer: ${error instanceof Error ? error.message : error}`;
    }
  });
}

/** A tenant that has one of everything. */
async function makeTenant({ addKey, api: { url } }: Stack, tenant: string, words: string): Promise<Tenant> {
  const key = await addKey({ tenant, user: `${tenant}-user`, scopes: ['generate', 'any-user', 'admin'] });
  const api = connectApi(url, key);
  const post = async (path: string, body: object, method = 'POST') => {
    const response = await api.send(path, { method, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as { id: string };
  };
  const made = [
    await post('/v1/generations', { input: `${SHORT} ${words}`, cache: 'off', metadata: { words } }),
    await post('/v1/generations', { input: `${SHORT} ${words}`, cache: 'off', maxOutputTokens: 1 }),
  ].map(({ id }) => id);
  const answered = await post('/v1/responses', { model: 'unbroken', input: `${SHORT} ${words}` });
  const name = `${tenant}-prompt`;
  await post(`/v1/prompts/${name}/versions`, { messages: [{ role: 'user', content: `Say ${words}` }] });
  await post(`/v1/prompts/${name}/labels/production`, { version: 1 }, 'PUT');
  const spare = await post('/v1/keys', { user: `${tenant}-spare` });
  for (const id of made)
    await waitFor(`the end of ${id}`, async () => (await api.view(id)).body.status !== 'running');
  return {
    key,
    userKey: await addKey({ tenant, user: `${tenant}-user`, scopes: ['generate'] }),
    known: {
      id: [...made, answered.id, spare.id, 'chat-1'],
      name: [name],
      label: ['production', `${tenant}-label`],
      version: ['1', '2'],
      page: ['0', '1'],
      user: [`${tenant}-user`],
      code: ['internal', 'not_found'],
      provider: ['simulated', 'openai'],
      model: ['sim-large', 'gpt-4o-mini', 'a/b'],
    },
  };
}

/** Whatever was begun must end: an input that holds a run up for ever is a hang too. */
async function allEnd({ api: { url } }: Stack, { key }: Tenant): Promise<string[]> {
  const api = connectApi(url, key);
  const running = async () => {
    const response = await api.send('/v1/generations?limit=100');
    const { data } = (await response.json()) as { data: GenerationView[] };
    return data.filter(({ status }) => status === 'running').map(({ id }) => id);
  };
  try {
    await waitFor('the end of all generations', async () => (await running()).length === 0);
    return [];
  } catch {
    return (await running()).map((id) => `the generation ${id} did not end`);
  }
}

/** What the processes themselves saw fail, and whether they are still there. */
export function faultsInLogs({ apis, workers }: Stack): string[] {
  const gone = [...apis, ...workers].filter((seat) => !seat.isRunning());
  const logged = apis.flatMap(({ log }) =>
    log()
      .split('\n')
      .filter((line) => /"level":(50|60)|polluted|Unhandled|uncaught/i.test(line)),
  );
  return [...gone.map(({ name, log }) => `${name} has ended: ${log().slice(-1_000)}`), ...new Set(logged)];
}
