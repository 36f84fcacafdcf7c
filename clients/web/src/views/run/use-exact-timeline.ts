/**
 * A log that is read late arrives with merged deltas, which bear the time of the last one. The page of the log that
 * holds the first one has its exact time.
 */
import { useEffect, useState } from 'preact/hooks';
import { type LogPage, pageOf } from '../../../../../contracts/log-pages.ts';
import type { GenerationState } from '../../generation-state.ts';
import { getJson } from '../../session.ts';
import { correctFirstText, type Timeline } from '../../timeline.ts';

export function useExactTimeline({ id, timeline }: GenerationState): Timeline {
  const [times, setTimes] = useState<ReadonlyMap<number, number>>(new Map());
  const merged = timeline.steps.flatMap(({ mergedFrom }) => (mergedFrom === undefined ? [] : [mergedFrom]));
  const wanted = merged.filter((seq) => !times.has(seq));
  useEffect(() => {
    for (const seq of wanted) {
      readTime(id, seq).then(
        (atMs) => setTimes((before) => new Map([...before, [seq, atMs]])),
        // The page keeps the time of the merged delta, which is later.
        () => undefined,
      );
    }
  }, [id, wanted.join()]);
  return merged.reduce((exact, seq) => {
    const atMs = times.get(seq);
    return atMs === undefined ? exact : correctFirstText(exact, seq, atMs);
  }, timeline);
}

async function readTime(id: string, seq: number): Promise<number> {
  const path = `/v1/generations/${encodeURIComponent(id)}/pages/${pageOf(seq)}`;
  const { events } = await getJson<LogPage>(path);
  const event = events.find((candidate) => candidate.seq === seq);
  if (event === undefined) throw new Error(`the log has no event ${seq}`);
  return event.at;
}
