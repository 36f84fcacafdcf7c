/** Optional packages, which users install themselves: checked when the config is read, loaded at the first call. */
import { createRequire } from 'node:module';

const { resolve } = createRequire(import.meta.url);

/** @throws Error with the fix if the package is not installed. */
export function assertInstalled(provider: string, name: string): void {
  try {
    resolve(name);
  } catch (error) {
    // Any other error means that the package is there but has no entry for `require`.
    if (codeOf(error) === 'MODULE_NOT_FOUND') {
      throw new Error(
        `providers.${provider}: the package ${name} is not installed. Run: npm install ${name}`,
      );
    }
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

/** The exports of an installed package; the caller knows their type. */
export async function loadInstalled<Exports>(name: string): Promise<Exports> {
  return (await import(name)) as Exports;
}
