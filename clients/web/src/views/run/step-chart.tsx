/** The steps of a run as bars on one time axis, each with its name, detail and duration. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { formatDuration } from '../../format.ts';
import type { Step, Timeline } from '../../timeline.ts';

const TICK_MS = 250;

export function StepChart({ timeline, lastAtMs }: { timeline: Timeline; lastAtMs: number }) {
  const { steps, beganAtMs, endedAtMs } = timeline;
  const nowMs = useServerNow(lastAtMs, endedAtMs === null);
  if (beganAtMs === null) return null;
  const lastMs = Math.max(endedAtMs ?? nowMs, lastAtMs, beganAtMs + 1);
  const shareOf = (ms: number) => (100 * ms) / (lastMs - beganAtMs);
  return (
    <ol class="steps">
      {steps.map((step, index) => {
        const untilMs = Math.max(step.fromMs, step.untilMs ?? lastMs);
        const left = Math.min(99, Math.max(0, shareOf(step.fromMs - beganAtMs)));
        const width = Math.min(100 - left, shareOf(untilMs - step.fromMs));
        return (
          <li key={index} class={`step is-${step.kind} is-${step.tone}${step.isVoid ? ' is-void' : ''}`}>
            <p class="name">
              <strong>{step.name}</strong> <span class="muted">{step.detail}</span>
              {step.isVoid && <span class="tag">withdrawn</span>}
            </p>
            <div class="track" aria-hidden="true">
              <span style={{ left: `${left}%`, width: `${width}%` }} />
            </div>
            <p class="took">{durationOf(step, untilMs)}</p>
          </li>
        );
      })}
    </ol>
  );
}

function durationOf({ kind, fromMs, untilMs }: Step, shownUntilMs: number): string {
  if (kind === 'end') return '';
  return `${formatDuration(shownUntilMs - fromMs)}${untilMs === null ? ' so far' : ''}`;
}

/** The time of the server while a run is shown: this machine's clock, minus the least delay that an event had. */
function useServerNow(lastAtMs: number, isRunning: boolean): number {
  const offset = useRef(Number.POSITIVE_INFINITY);
  const [, tick] = useState(0);
  useEffect(() => {
    if (!isRunning) return;
    const timer = setInterval(() => tick((ticks) => ticks + 1), TICK_MS);
    return () => clearInterval(timer);
  }, [isRunning]);
  offset.current = Math.min(offset.current, Date.now() - lastAtMs);
  return Date.now() - offset.current;
}
