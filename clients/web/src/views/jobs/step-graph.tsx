/** The steps of a job as a graph. Each is a button that shows its step below. */
import { useMemo } from 'preact/hooks';
import { type FoldedJob, type FoldedStep, itemsOf, stepStatusOf } from '../../../../../contracts/fold-job.ts';
import { formatCost } from '../../format.ts';
import { layOut, type Node } from './graph-layout.ts';
import { STEP_TONES } from './job-status.tsx';

/** Pixels. */
const NODE = { width: 184, height: 74 };
const GAP = { x: 52, y: 18 };

interface StepGraphProperties {
  readonly job: FoldedJob;
  readonly shown: string | null;
  readonly onShow: (step: string) => void;
}

export function StepGraph({ job, shown, onShow }: StepGraphProperties) {
  const steps = [...job.steps.values()];
  // The shape is that of the first event; the steps change with each.
  const layout = useMemo(() => layOut(steps), [steps.length]);
  const width = layout.columns * (NODE.width + GAP.x) - GAP.x;
  const height = layout.rows * (NODE.height + GAP.y) - GAP.y;
  if (steps.length === 0) return null;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so a keyboard must reach it
    <section class="graph" tabIndex={0} aria-label="Graph of the steps">
      <div class="canvas" style={{ width: `${width}px`, height: `${height}px` }}>
        <svg width={width} height={height} aria-hidden="true" focusable="false">
          {layout.edges.map(({ from, to }) => (
            <path
              key={`${from.name} ${to.name}`}
              class={isOver(job.steps.get(from.name)) ? 'over' : ''}
              d={pathOf(from, to)}
            />
          ))}
        </svg>
        {layout.nodes.map((node) => {
          const step = job.steps.get(node.name);
          return (
            step !== undefined && (
              <StepNode
                key={node.name}
                node={node}
                step={step}
                job={job}
                isShown={shown === node.name}
                onShow={onShow}
              />
            )
          );
        })}
      </div>
    </section>
  );
}

interface StepNodeProperties {
  readonly node: Node;
  readonly step: FoldedStep;
  readonly job: FoldedJob;
  readonly isShown: boolean;
  readonly onShow: (step: string) => void;
}

function StepNode({ node, step, job, isShown, onShow }: StepNodeProperties) {
  const status = stepStatusOf(step, job);
  const { left, top } = placeOf(node);
  return (
    <button
      type="button"
      class={`node ${STEP_TONES[status]}${status === 'running' ? ' running' : ''}`}
      aria-pressed={isShown}
      style={{ left: `${left}px`, top: `${top}px`, width: `${NODE.width}px`, height: `${NODE.height}px` }}
      onClick={() => onShow(step.name)}
    >
      <strong>{step.name}</strong> <span>{status}</span> <span class="muted">{progressOf(step)}</span>
    </button>
  );
}

/** `3 of 5, $0.01`. */
function progressOf(step: FoldedStep): string {
  const { items, costMicroUsd } = step;
  const { done, failed } = itemsOf(step);
  const parts = [
    ...(items === null ? [] : [`${done} of ${items}`]),
    ...(failed === 0 ? [] : [`${failed} failed`]),
    ...(costMicroUsd === 0 ? [] : [formatCost(costMicroUsd)]),
  ];
  return parts.join(', ');
}

function isOver(step: FoldedStep | undefined): boolean {
  return step?.endedAt != null;
}

function placeOf({ column, row }: Node): { readonly left: number; readonly top: number } {
  return { left: column * (NODE.width + GAP.x), top: row * (NODE.height + GAP.y) };
}

/** From the right side of one step to the left side of another. */
function pathOf(from: Node, to: Node): string {
  const [a, b] = [placeOf(from), placeOf(to)];
  const [x1, y1] = [a.left + NODE.width, a.top + NODE.height / 2];
  const [x2, y2] = [b.left, b.top + NODE.height / 2];
  const bend = GAP.x / 2;
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
}
