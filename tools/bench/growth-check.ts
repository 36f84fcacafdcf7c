/** Whether histories are as long for a long answer as for a short one. */

interface Inspected {
  readonly name: string;
  readonly group: string;
  readonly runs: readonly { readonly events: number }[];
}

/** In words, what differs: a run from the first of its group. Empty where nothing does. */
export function differences(rows: readonly Inspected[]): string[] {
  const first = new Map<string, { name: string; events: number }>();
  return rows.flatMap(({ name, group, runs }) => {
    const counts = [...new Set(runs.map(({ events }) => events))];
    const [events] = counts;
    if (events === undefined) return [`${name}: no run was looked at`];
    const known = first.get(group) ?? { name, events };
    first.set(group, known);
    return counts
      .filter((count) => count !== known.events)
      .map((count) => `${name}: ${count} events, where ${known.name} has ${known.events}`);
  });
}
