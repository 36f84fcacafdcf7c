/** The log as one line: every event is on it once, wherever the connection broke. */
import type { Connection } from '../following.ts';
import type { Reading } from '../reading.ts';

interface ThreadOf {
  readonly reading: Reading;
  readonly breaks: readonly number[];
  readonly connection: Connection;
}

export function Thread({ reading, breaks, connection }: ThreadOf) {
  const count = reading.lastSeq + 1;
  const isBroken = connection.state === 'cut' || connection.state === 'lost';
  const inWords = `${count} events, none missing${breaks.length === 0 ? '' : `; the connection broke after ${breaks.join(', ')}`}`;
  return (
    <div>
      <div class={isBroken ? 'thread broken' : 'thread'} role="img" aria-label={inWords}>
        <div class="line">
          {reading.stretches.map(({ from, to, kind }) => (
            <span key={from} class={kind} style={{ flexGrow: to - from + 1 }} />
          ))}
          {breaks.map((seq) => (
            <i key={seq} style={{ left: `${count === 0 ? 0 : (100 * (seq + 1)) / count}%` }} />
          ))}
        </div>
        {reading.status === 'running' && <div class="end" />}
      </div>
      {breaks.length > 0 && (
        <p class="legend">
          <i />
          read from the log after a break
        </p>
      )}
    </div>
  );
}
