/** All bugs that `npm run prove -- mutants` puts back. */
import { ACCESS_MUTANTS } from './lists/access.ts';
import { ARCHIVE_MUTANTS } from './lists/archive.ts';
import { BATCH_MUTANTS } from './lists/batches.ts';
import { CACHE_MUTANTS } from './lists/cache.ts';
import { COMPACTION_MUTANTS } from './lists/compaction.ts';
import { CORE_MUTANTS } from './lists/core.ts';
import { ERASURE_MUTANTS } from './lists/erasure.ts';
import { ERROR_MUTANTS } from './lists/errors.ts';
import { HANDOVER_MUTANTS } from './lists/handovers.ts';
import { JOB_MUTANTS } from './lists/jobs.ts';
import { LEASE_MUTANTS } from './lists/leases.ts';
import { LOG_MUTANTS } from './lists/log.ts';
import { MODEL_MUTANTS } from './lists/models.ts';
import { MONEY_MUTANTS } from './lists/money.ts';
import { ODD_ANSWER_MUTANTS } from './lists/odd-answers.ts';
import { PROMPT_CACHING_MUTANTS } from './lists/prompt-caching.ts';
import { RELAY_MUTANTS } from './lists/relay.ts';
import { REQUEST_MUTANTS } from './lists/requests.ts';
import { SERVICE_MUTANTS } from './lists/services.ts';
import { VENDOR_MUTANTS } from './lists/vendors.ts';
import { WIRE_MUTANTS } from './lists/wires.ts';
import type { Mutant } from './mutant.ts';

export const MUTANTS: readonly Mutant[] = [
  ...LOG_MUTANTS,
  ...RELAY_MUTANTS,
  ...ARCHIVE_MUTANTS,
  ...LEASE_MUTANTS,
  ...CACHE_MUTANTS,
  ...CORE_MUTANTS,
  ...MODEL_MUTANTS,
  ...MONEY_MUTANTS,
  ...ACCESS_MUTANTS,
  ...REQUEST_MUTANTS,
  ...COMPACTION_MUTANTS,
  ...ODD_ANSWER_MUTANTS,
  ...PROMPT_CACHING_MUTANTS,
  ...VENDOR_MUTANTS,
  ...WIRE_MUTANTS,
  ...ERROR_MUTANTS,
  ...SERVICE_MUTANTS,
  ...JOB_MUTANTS,
  ...BATCH_MUTANTS,
  ...HANDOVER_MUTANTS,
  ...ERASURE_MUTANTS,
];
