/** What a check found wrong, and what about. */
const WRONGS = [
  /** A line, or a job's document, that is not there. */
  'lost',
  /** A line that is in the files more than once. */
  'twice',
  /** Another answer than the provider's. */
  'garbled',
  'paid_twice',
  'unpaid',
  /** The usage or cost that a batch or job shows is not what was booked for it. */
  'miscounted',
  /** A reservation that was never released, or a balance that is not the sum of its entries. */
  'leaked',
  /** A webhook that never arrived. */
  'undelivered',
  /** Deliveries of one event with two ids, or of two events with one; or with a wrong signature. */
  'unrecognizable',
  'missed_tick',
  'doubled_tick',
  /** A batch, job or run that never ended. */
  'unended',
  /** An error that nothing here can have caused, or an answer of the API that says nothing. */
  'unexplained',
  'ended_by_itself',
] as const;
type Wrong = (typeof WRONGS)[number];

export interface Fault {
  readonly wrong: Wrong;
  /** A mark, an id or a name. */
  readonly about: string;
  readonly detail: string;
}

export function fault(wrong: Wrong, about: string, detail: string): Fault {
  return { wrong, about, detail };
}

/** One count for each kind, as text. */
export function countsOf(faults: readonly Fault[]): string {
  return WRONGS.map((wrong) => `${wrong} ${faults.filter((each) => each.wrong === wrong).length}`).join(' ');
}
