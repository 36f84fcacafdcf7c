/** The headers of the request for a batch that hold for each of its lines, as for a request that is sent alone. */
import { lineHeaderNames } from '../../contracts/batch-request.ts';
import { type BatchMode, batchModes } from '../../contracts/batches.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import { LIMITS } from '../../contracts/limits.ts';

interface Headers {
  get(name: string): string | undefined;
}

const MODE_HEADER = 'x-unbroken-batch';

/** How the lines are sent. @throws invalid_request */
export function batchMode(request: Headers, byDefault: BatchMode): { readonly mode?: 'vendor' } {
  const wish = request.get(MODE_HEADER) ?? byDefault;
  const mode = batchModes.find((known) => known === wish);
  if (mode === undefined) {
    throw new UnbrokenError('invalid_request', `${MODE_HEADER}: expected ${batchModes.join(' or ')}.`, {
      details: { param: MODE_HEADER },
    });
  }
  return mode === 'vendor' ? { mode } : {};
}

export function lineHeaders(request: Headers): Readonly<Record<string, string>> {
  return Object.fromEntries(
    lineHeaderNames.flatMap((name) => {
      const value = request.get(name);
      return value === undefined ? [] : [[name, value.slice(0, LIMITS.headerBytes)]];
    }),
  );
}
