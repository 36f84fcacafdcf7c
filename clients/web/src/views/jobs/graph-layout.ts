/** Where the steps of a job stand in its graph: in columns, each step to the right of all that it waits for. */

interface Step {
  readonly name: string;
  /** null: unknown. */
  readonly needs: readonly string[] | null;
}

export interface Node {
  readonly name: string;
  readonly column: number;
  readonly row: number;
}

interface Edge {
  readonly from: Node;
  readonly to: Node;
}

interface Layout {
  readonly nodes: readonly Node[];
  readonly edges: readonly Edge[];
  readonly columns: number;
  readonly rows: number;
}

/** @param steps in an order in which they can run */
export function layOut(steps: readonly Step[]): Layout {
  const nodes = new Map<string, Node>();
  const rowsOf: number[] = [];
  for (const { name, needs } of steps) {
    // Where nobody knows what waits for what, each stands behind the one before.
    const before = needs ?? [...nodes.keys()].slice(-1);
    const columns = before.map((need) => nodes.get(need)?.column ?? -1);
    const column = Math.max(-1, ...columns) + 1;
    const row = rowsOf[column] ?? 0;
    rowsOf[column] = row + 1;
    nodes.set(name, { name, column, row });
  }
  return {
    nodes: [...nodes.values()],
    edges: edgesOf(steps, nodes),
    columns: rowsOf.length,
    rows: Math.max(0, ...rowsOf),
  };
}

/** Without those that others imply: a step that waits for two, one of which waits for the other. */
function edgesOf(steps: readonly Step[], nodes: ReadonlyMap<string, Node>): Edge[] {
  const all = new Map<string, ReadonlySet<string>>();
  const edges: Edge[] = [];
  for (const { name, needs } of steps) {
    const own = needs ?? [];
    const implied = new Set(own.flatMap((need) => [...(all.get(need) ?? [])]));
    all.set(name, new Set([...own, ...implied]));
    for (const need of own) {
      const [from, to] = [nodes.get(need), nodes.get(name)];
      if (from !== undefined && to !== undefined && !implied.has(need)) edges.push({ from, to });
    }
  }
  return edges;
}
