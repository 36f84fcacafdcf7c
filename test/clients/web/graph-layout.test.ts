import { expect, test } from '@jest/globals';
import { layOut } from '../../../clients/web/src/views/jobs/graph-layout.ts';

const edgesOf = (layout: ReturnType<typeof layOut>) =>
  layout.edges.map(({ from, to }) => `${from.name} ${to.name}`);

test('each step stands to the right of all that it waits for, and no two in one place', () => {
  const steps = [
    { name: 'outline', needs: [] },
    { name: 'sections', needs: ['outline'] },
    { name: 'facts', needs: [] },
    { name: 'edit', needs: ['sections', 'facts'] },
    { name: 'title', needs: ['edit'] },
    { name: 'metadata', needs: ['edit'] },
  ];
  const layout = layOut(steps);
  const nodes = new Map(layout.nodes.map((node) => [node.name, node]));
  for (const { name, needs } of steps) {
    for (const need of needs) {
      expect(nodes.get(name)?.column ?? 0).toBeGreaterThan(nodes.get(need)?.column ?? 0);
    }
  }
  expect(new Set(layout.nodes.map(({ column, row }) => `${column}/${row}`)).size).toBe(steps.length);
  expect(layout).toMatchObject({ columns: 4, rows: 2 });
});

test('an edge that others imply is not drawn', () => {
  const layout = layOut([
    { name: 'a', needs: [] },
    { name: 'b', needs: ['a'] },
    { name: 'c', needs: ['a', 'b'] },
    { name: 'd', needs: ['c', 'a'] },
  ]);
  expect(edgesOf(layout)).toEqual(['a b', 'b c', 'c d']);
});

test('a job of older code, which does not say what waits for what, is a row without edges', () => {
  const layout = layOut(['a', 'b', 'c'].map((name) => ({ name, needs: null })));
  expect(layout.nodes.map(({ column }) => column)).toEqual([0, 1, 2]);
  expect(layout.edges).toEqual([]);
  expect(layOut([])).toEqual({ nodes: [], edges: [], columns: 0, rows: 0 });
});
