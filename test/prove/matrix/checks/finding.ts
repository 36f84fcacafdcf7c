/** What a check found wrong. */
export const WRONGS = [
  'lost',
  'duplicated',
  'garbled',
  'paid_twice',
  'unpaid',
  'overspent',
  'leaked',
  'cross_tenant',
  'cross_user',
  'unended',
  'stuck',
  'uncancelled',
  'undeleted',
  'unexplained',
  'ended_by_itself' as const,
];
type Wrong = (typeof WRONGS)[number];

export interface Finding {
  readonly wrong: Wrong;
  /** Empty where it is about no one generation. */
  readonly generationId: string;
  readonly detail: string;
}

export function finding(wrong: Wrong, generationId: string, detail: string): Finding {
  return { wrong, generationId, detail };
}
