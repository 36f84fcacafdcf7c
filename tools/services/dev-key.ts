/** The development key of a data directory, made at the first start and readable by its owner only. */
import { randomInt } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const BASE_62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const RANDOM_CHARS = 32;

export function developmentKey(dataDir: string): string {
  const path = join(dataDir, 'dev-key');
  const stored = existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
  if (stored !== '') return stored;
  let key = 'ub_dev_';
  for (let index = 0; index < RANDOM_CHARS; index++) key += BASE_62.charAt(randomInt(BASE_62.length));
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(path, `${key}\n`, { mode: 0o600 });
  return key;
}
