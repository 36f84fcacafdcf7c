/** The list of batches, or one of them. */
import { place } from '../../router.ts';
import { BatchPage } from './batch-page.tsx';
import { Batches } from './batches.tsx';

export function BatchesOrBatch() {
  const { id } = place.value;
  return id === null ? <Batches /> : <BatchPage key={id} id={id} />;
}
