/** What happened when, so that a failure can be traced to its causes. */
interface Happening {
  readonly atMs: number;
  readonly what: string;
}

export interface Timeline {
  readonly beganAtMs: number;
  note(what: string): void;
  /** Those between two moments (ms since 1970), as lines with seconds since the beginning. */
  between(fromMs: number, untilMs: number): string[];
}

export function createTimeline(): Timeline {
  const beganAtMs = Date.now();
  const happenings: Happening[] = [];
  const line = ({ atMs, what }: Happening) =>
    `${((atMs - beganAtMs) / 1_000).toFixed(1).padStart(7)} s  ${what}`;
  return {
    beganAtMs,
    note: (what) => {
      happenings.push({ atMs: Date.now(), what });
      if (process.env['UNBROKEN_TEST_VERBOSE'] !== undefined)
        console.error(`${(Date.now() - beganAtMs) / 1_000} ${what}`);
    },
    between: (fromMs, untilMs) =>
      happenings.filter(({ atMs }) => atMs >= fromMs && atMs <= untilMs).map(line),
  };
}
