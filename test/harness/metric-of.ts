import type { Seat } from './stack.ts';

/** The sum over the series of this name, as the newest process in this seat shows them. */
export async function metricOf(seat: Seat, name: string): Promise<number> {
  const url = [...seat.log().matchAll(/"metricsUrl":"([^"]+)"/g)].at(-1)?.[1];
  const page = await (await fetch(`${url}/metrics`)).text();
  const values = [...page.matchAll(new RegExp(`^${name}(?:\\{[^\\n]*\\})? (\\S+)$`, 'gm'))];
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
}
