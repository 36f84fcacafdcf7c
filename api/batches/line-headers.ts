/** The headers of the request for a batch that hold for each of its lines, as for a request that is sent alone. */
import { lineHeaderNames } from '../../contracts/batch-request.ts';
import { LIMITS } from '../../contracts/limits.ts';

export function lineHeaders(request: {
  get(name: string): string | undefined;
}): Readonly<Record<string, string>> {
  return Object.fromEntries(
    lineHeaderNames.flatMap((name) => {
      const value = request.get(name);
      return value === undefined ? [] : [[name, value.slice(0, LIMITS.headerBytes)]];
    }),
  );
}
