/** `unbroken keys ...`: the routes under /v1/keys. A new key goes to stdout alone, so that it can be piped. */
import { type Command, InvalidArgumentError } from 'commander';
import { type Call, requestJson } from '../../clients/typescript/unbroken-client.ts';
import type { CreateKey, KeyView, NewKey, Scope } from '../../contracts/keys.ts';
import { DAY_MS, HOUR_MS } from '../../contracts/time.ts';
import { type ConnectionFlags, connectionOf, withConnection } from './connection.ts';
import { type JsonFlag, printJson, printOutcome } from './print-json.ts';

interface CreateFlags extends ConnectionFlags {
  readonly user: string;
  readonly tenant?: string;
  readonly team?: string;
  readonly name?: string;
  readonly scope: readonly Scope[];
  readonly expires?: number;
}

const UNITS_MS = { m: 60_000, h: HOUR_MS, d: DAY_MS };

/** "30d", "12h" or "5m", in ms. */
function duration(text: string): number {
  const [, count, unit] = /^(\d+)([mhd])$/.exec(text) ?? [];
  if (unit !== 'm' && unit !== 'h' && unit !== 'd') {
    throw new InvalidArgumentError('expected a number with m, h or d, such as 30d');
  }
  return Number(count) * UNITS_MS[unit];
}

function call<Answer>(flags: ConnectionFlags, request: Omit<Call, 'path'>, path = ''): Promise<Answer> {
  // A lost answer leaves a key that works and that nobody knows, so a POST is never retried.
  const once = request.method === 'POST' ? { requestGiveUpAfterMs: 0 } : {};
  return requestJson<Answer>({ ...connectionOf(flags), ...once }, { ...request, path: `/v1/keys${path}` });
}

function printNew({ key, ...view }: NewKey, { json }: JsonFlag): void {
  if (json === true) {
    printJson({ key, ...view });
    return;
  }
  console.error(`${describe(view)}\nThis is the only time that the key is shown:`);
  console.log(key);
}

function describe(view: KeyView): string {
  const day = (at: number | null, none: string) => (at === null ? none : new Date(at).toISOString());
  return [
    view.id,
    `${view.tenant}/${view.team === null ? '' : `${view.team}/`}${view.user}`,
    view.scopes.join(','),
    `expires ${day(view.expiresAt, 'never')}`,
    `last used ${day(view.lastUsedAt, 'never')}`,
    ...(view.previousUntil === null ? [] : [`old secret until ${day(view.previousUntil, '')}`]),
    ...(view.name === null ? [] : [view.name]),
  ].join('\t');
}

export function defineKeys(keys: Command): void {
  withConnection(keys.command('create').description('create a key and print it'))
    .requiredOption('--user <user>', 'who is debited')
    .option('--tenant <tenant>', "default: the tenant of your own key; another's needs the scope operator")
    .option('--team <team>', 'whose budget pays too')
    .option('--name <name>', 'what people call it')
    .option('--scope <scope...>', 'generate, any-user, admin, operator', ['generate'])
    .option('--expires <duration>', 'such as 90d; default: never', duration)
    .action(async ({ user, tenant, team, name, scope, expires, ...flags }: CreateFlags) => {
      const body: CreateKey = { user, tenant, team, name, scopes: [...scope], expiresInMs: expires };
      printNew(await call<NewKey>(flags, { method: 'POST', body }), flags);
    });
  withConnection(keys.command('list').description('list the keys of a tenant, without secrets'))
    .option('--tenant <tenant>', 'default: the tenant of your own key')
    .action(async (flags: ConnectionFlags & { tenant?: string }) => {
      const query = flags.tenant === undefined ? '' : `?tenant=${encodeURIComponent(flags.tenant)}`;
      const { data } = await call<{ data: KeyView[] }>(flags, { method: 'GET' }, query);
      for (const view of data) console.log(flags.json === true ? JSON.stringify(view) : describe(view));
    });
  withConnection(keys.command('rotate').description('give a key a new secret and print it'))
    .argument('<id>')
    .option('--overlap <duration>', 'how long the old secret stays valid; default: 24h', duration)
    .action(async (id: string, flags: ConnectionFlags & { overlap?: number }) => {
      const path = `/${encodeURIComponent(id)}/rotate`;
      const key = await call<NewKey>(flags, { method: 'POST', body: { overlapMs: flags.overlap } }, path);
      printNew(key, flags);
    });
  withConnection(keys.command('revoke').description('revoke a key: it is refused everywhere within seconds'))
    .argument('<id>')
    .action(async (id: string, flags: ConnectionFlags) => {
      await call(flags, { method: 'DELETE' }, `/${encodeURIComponent(id)}`);
      printOutcome(flags, { id, isRevoked: true }, `Revoked ${id}.`);
    });
}
