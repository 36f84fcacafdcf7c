/** What the CLI and the examples take from the environment: where the API is, and the key for it. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

export interface ClientEnvironment {
  readonly baseUrl: string;
  /** UNBROKEN_API_KEY, else the development key that `npm start` wrote; undefined where neither is there. */
  readonly apiKey: string | undefined;
  readonly dataDir: string;
}

export function readClientEnvironment(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): ClientEnvironment {
  const dataDir = resolve(environment['UNBROKEN_DATA_DIR'] || '.unbroken');
  const keyFile = resolve(dataDir, 'dev-key');
  const stored = existsSync(keyFile) ? readFileSync(keyFile, 'utf8').trim() : '';
  return {
    baseUrl: environment['UNBROKEN_URL'] || 'http://127.0.0.1:8787',
    apiKey: environment['UNBROKEN_API_KEY'] || stored || undefined,
    dataDir,
  };
}
