/** The headers of the request for a batch that hold for each of its lines, as for a request that is sent alone. */
import { LIMITS } from '../../contracts/limits.ts';

const OF_LINES = [
  'x-unbroken-cache',
  'x-unbroken-task',
  'x-unbroken-prompt-caching',
  'x-unbroken-output-check',
  'anthropic-beta',
] as const;

export function lineHeaders(request: {
  get(name: string): string | undefined;
}): Readonly<Record<string, string>> {
  return Object.fromEntries(
    OF_LINES.flatMap((name) => {
      const value = request.get(name);
      return value === undefined ? [] : [[name, value.slice(0, LIMITS.headerBytes)]];
    }),
  );
}
