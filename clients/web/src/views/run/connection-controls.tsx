/** Cuts the connection of a running generation, to show what that costs: nothing but time. */
import { useEffect, useState } from 'preact/hooks';
import type { GenerationFollower } from '../../generation-follower.ts';

/** A connection that the user has cut resumes after this. */
const CUT_SECONDS = 5;

export function ConnectionControls({ follower }: { follower: GenerationFollower }) {
  const isCut = follower.connection.value.state === 'cut';
  const seconds = useCountdown(isCut, follower);
  if (follower.state.value.status !== 'running') return null;
  return isCut ? (
    <button type="button" class="small mend" onClick={() => follower.resume()}>
      Resume <span class="muted">or wait {seconds} s</span>
    </button>
  ) : (
    <button type="button" class="small" onClick={() => follower.cut()}>
      Cut the connection
    </button>
  );
}

/** Counts down while the connection is cut, then resumes it. @returns the seconds that are left. */
function useCountdown(isCut: boolean, follower: GenerationFollower): number {
  const [seconds, setSeconds] = useState(CUT_SECONDS);
  useEffect(() => {
    if (!isCut) return;
    setSeconds(CUT_SECONDS);
    const tick = setInterval(() => setSeconds((left) => Math.max(0, left - 1)), 1_000);
    const end = setTimeout(() => follower.resume(), CUT_SECONDS * 1_000);
    return () => {
      clearInterval(tick);
      clearTimeout(end);
    };
  }, [isCut, follower]);
  return seconds;
}
