/** Reads the address of the API and the key for it, for the CLI and the examples. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

interface ClientEnvironment {
  readonly baseUrl: string;
  /** UNBROKEN_API_KEY, else the development key that `npm start` wrote; undefined if there is neither. */
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
