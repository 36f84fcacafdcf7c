/** What the doctor reports for one check, and the functions that its checks share. */

export interface Finding {
  /** What was checked, such as `redis persistence`. */
  readonly check: string;
  /** `warning`: it works now, but will cause trouble. */
  readonly status: 'ok' | 'warning' | 'error';
  readonly found: string;
  /** What to do; absent where all is well. */
  readonly fix?: string;
}

export const ANSWER_WITHIN_MS = 4_000;

export function ok(check: string, found: string): Finding {
  return { check, status: 'ok', found };
}

export function warning(check: string, found: string, fix: string): Finding {
  return { check, status: 'warning', found, fix };
}

export function error(check: string, found: string, fix: string): Finding {
  return { check, status: 'error', found, fix };
}

/** Whether a version such as 1.16.3 or v24.1.0-rc is at least this one. */
export function isAtLeast(version: string, least: string): boolean {
  const parts = (text: string) => (text.match(/\d+/g) ?? []).slice(0, 3).map(Number);
  const wanted = parts(least);
  const has = parts(version);
  for (const [index, part] of wanted.entries()) {
    const own = has[index] ?? 0;
    if (own !== part) return own > part;
  }
  return true;
}

export function wordsOf(problem: unknown): string {
  if (!(problem instanceof Error)) return String(problem);
  // The reason of a failed fetch lies one below.
  return problem.cause instanceof Error ? problem.cause.message || problem.message : problem.message;
}

/** A URL without the password in it. */
export function shown(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//***@');
}
