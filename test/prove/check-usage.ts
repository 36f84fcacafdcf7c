/**
 * Whether the usage statistics of a tenant add up to its ledger: for each day and hour, user, key, team and model.
 * Reads Redis as it lies there, and shares no code with what writes it.
 */
import type { createClient } from 'redis';

type Redis = Pick<ReturnType<typeof createClient>, 'keys' | 'hGetAll'>;

/** What one entry of the ledger has spent. */
export interface SpentLine {
  readonly who: { readonly user: string; readonly team: string; readonly key: string };
  readonly model: string;
  readonly on: number;
  readonly spent: { readonly tokens: number; readonly 'micro-usd': number };
}

/** Where the numbers of a row of sums are. */
const COST = 5;
const FIRST_PART = 6;
const PARTS = 5;

/** @returns how many sums differ from those of the entries. */
export async function countWrongUsage(
  redis: Redis,
  root: string,
  lines: readonly SpentLine[],
  note: (fault: string) => void,
): Promise<number> {
  const hashes = ['day', 'users', 'hours'] as const;
  let faults = 0;
  for (const hash of hashes) {
    const wanted = new Map<string, [number, number]>();
    for (const line of lines) add(wanted, nameOf(hash, line), line.spent.tokens, line.spent['micro-usd']);
    const found = await readSums(redis, root, hash);
    for (const name of new Set([...wanted.keys(), ...found.keys()])) {
      const [is, shouldBe] = [found, wanted].map((sums) => (sums.get(name) ?? [0, 0]).join(' '));
      if (is === shouldBe) continue;
      faults += 1;
      note(
        `usage by ${hash}, ${JSON.stringify(name)}: ${is} (tokens, micro-USD), its entries are ${shouldBe}`,
      );
    }
  }
  return faults;
}

function nameOf(hash: string, { who, model, on }: SpentLine): string {
  const moment = new Date(on).toISOString();
  const day = moment.slice(0, 10);
  if (hash === 'users') return [day, who.team, model, who.user, who.key].join(' ');
  return hash === 'hours'
    ? [day, moment.slice(11, 13), who.team, model].join(' ')
    : [day, who.team, model].join(' ');
}

async function readSums(redis: Redis, root: string, hash: string): Promise<Map<string, [number, number]>> {
  const sums = new Map<string, [number, number]>();
  for (const key of await redis.keys(`${root}usage:${hash}:*`)) {
    const day = key.slice(-10);
    for (const [field, packed] of Object.entries(await redis.hGetAll(key))) {
      const names = field.split('\t');
      const hour = hash === 'hours' ? [names.shift() ?? ''] : [];
      const [kind, team = '', model = '', , ...userAndKey] = names;
      if (kind !== 's') continue;
      const numbers = packed.split(' ').map(Number);
      const tokens = numbers.slice(FIRST_PART, FIRST_PART + PARTS).reduce((sum, part) => sum + part);
      add(sums, [day, ...hour, team, model, ...userAndKey].join(' '), tokens, numbers[COST] ?? 0);
    }
  }
  return sums;
}

function add(sums: Map<string, [number, number]>, name: string, tokens: number, microUsd: number): void {
  const [tokensBefore, microUsdBefore] = sums.get(name) ?? [0, 0];
  sums.set(name, [tokensBefore + tokens, microUsdBefore + microUsd]);
}
