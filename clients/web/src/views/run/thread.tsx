/** The log as one line: it has every event exactly once, however often the connection broke. */
import type { Connection } from '../../generation-follower.ts';
import type { GenerationState } from '../../generation-state.ts';

interface ThreadProps {
  readonly state: GenerationState;
  readonly breaks: readonly number[];
  readonly connection: Connection;
}

export function Thread({ state, breaks, connection }: ThreadProps) {
  const count = state.lastSeq + 1;
  const isBroken = connection.state === 'cut' || connection.state === 'lost';
  const inWords = `${count} events, none missing${breaks.length === 0 ? '' : `; the connection broke after ${breaks.join(', ')}`}`;
  return (
    <div>
      <div class={isBroken ? 'thread broken' : 'thread'} role="img" aria-label={inWords}>
        <div class="line">
          {state.stretches.map(({ from, to, kind }) => (
            <span key={from} class={kind} style={{ flexGrow: to - from + 1 }} />
          ))}
          {breaks.map((seq) => (
            <i key={seq} style={{ left: `${count === 0 ? 0 : (100 * (seq + 1)) / count}%` }} />
          ))}
        </div>
        {state.status === 'running' && <div class="end" />}
      </div>
      {breaks.length > 0 && (
        <p class="legend">
          <i />
          read from the log after a disconnect
        </p>
      )}
    </div>
  );
}
