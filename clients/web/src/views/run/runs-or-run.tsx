/** The list of runs, or one of them. */
import { place } from '../../router.ts';
import { Runs } from '../runs/runs.tsx';
import { Run } from './run.tsx';

export function RunsOrRun() {
  const { id } = place.value;
  return id === null ? <Runs /> : <Run key={id} id={id} />;
}
