/**
 * Every place where something of a user could be kept, and what an erasure does there. The compiler asks for a rule for
 * each family of keys in `REDIS_KEYS` and each folder in `OBJECT_FOLDERS`; `test/house/erasure.test.ts` asks for the
 * rest: workflows, collections of Qdrant, and the files that write into the object store.
 */
import type { ErasedKind } from '../../contracts/erasure.ts';
import type { OBJECT_FOLDERS, REDIS_KEYS } from '../../contracts/names.ts';

export type StorageRule =
  /** It is erased, and counted as this. */
  | { readonly erased: ErasedKind }
  /** It holds neither texts nor names of users. */
  | { readonly holds: string }
  /** It is gone by itself within so long. */
  | { readonly expires: string; readonly holds: string }
  /** It stays, and the receipt or docs/erasure.md says why. */
  | { readonly kept: string };

const CHANNEL = { holds: 'nothing: a channel' } as const;
const OF_TENANT = { holds: 'what admins of the tenant have written' } as const;
const OF_PROVIDERS = { holds: 'what calls have shown of a provider' } as const;
const OF_PROCESSES = { holds: 'ids of processes and of runs in progress' } as const;

export const STORED_IN_REDIS = {
  logMeta: { erased: 'generations' },
  logStream: { erased: 'generations' },
  logInput: { erased: 'generations' },
  logChannel: CHANNEL,
  storedBytes: { holds: 'sums of bytes' },
  compressedInput: { erased: 'generations' },
  archiveDue: { holds: 'ids of generations' },
  archiveDaysDue: { holds: 'days' },
  archiveLease: OF_PROCESSES,
  chat: { erased: 'chats' },
  clientRetries: { erased: 'retries' },
  conversation: { erased: 'conversations' },
  budget: { kept: 'Money is no text: sums and entries of the ledger stay.' },
  flight: { erased: 'openQuestions' },
  openFlights: { erased: 'openQuestions' },
  complaints: { erased: 'complaints' },
  flightMembers: { holds: 'ids of generations, and the cost that they share' },
  prompt: { erased: 'feedback' },
  promptNames: OF_TENANT,
  gate: OF_PROVIDERS,
  gateOfTenant: OF_PROVIDERS,
  job: { erased: 'jobs' },
  jobsOf: { erased: 'jobs' },
  pipeline: OF_TENANT,
  schedule: { erased: 'schedules' },
  schedulesOf: { erased: 'schedules' },
  batch: { erased: 'batches' },
  batchesOf: { erased: 'batches' },
  files: { erased: 'files' },
  filesDue: { holds: 'ids of files' },
  pipelineNames: OF_TENANT,
  apiKey: { kept: 'A key is a right and not data: an admin revokes it.' },
  apiKeysOf: { holds: 'ids of keys' },
  apiKeyChanges: CHANNEL,
  handoff: { expires: '10 seconds', holds: 'generations that wait for a worker' },
  handoffTakers: OF_PROCESSES,
  handoffAnswers: CHANNEL,
  leases: OF_PROCESSES,
  leasedRuns: OF_PROCESSES,
  leaseHold: OF_PROCESSES,
  cancelRequests: CHANNEL,
  reasoningSecret: { holds: 'a secret of the installation' },
  callAnswer: { erased: 'callAnswers' },
  ticket: { expires: 'an hour', holds: 'the id of a key' },
  signInLink: { expires: '10 minutes', holds: 'the id of a key' },
  pageSession: { expires: '12 hours', holds: 'the id of a key' },
  webhookEndpoints: OF_TENANT,
  webhookDeliveries: { erased: 'webhookDeliveries' },
  webhookDelivery: { erased: 'webhookDeliveries' },
  erasure: { kept: 'The receipt, which names no user once it is complete.' },
  erasures: { holds: 'ids of erasures, and hashes of those whose data they erase' },
  replicationMark: { holds: 'nothing' },
  rateLimit: { expires: 'a minute', holds: 'ids of keys, and addresses that sign in' },
} as const satisfies Record<keyof typeof REDIS_KEYS, StorageRule>;

export const STORED_AS_OBJECTS = {
  logs: { erased: 'generations' },
  inputs: { erased: 'generations' },
  files: { erased: 'files' },
  batches: { erased: 'batches' },
  expiry: { expires: 'the time for which logs are kept', holds: 'ids of logs, and hashes of their users' },
  ledger: { kept: 'Money is no text: entries of the ledger stay.' },
} as const satisfies Record<keyof typeof OBJECT_FOLDERS, StorageRule>;

/** By the name of the workflow: arguments, results, search attributes, summaries and fairness keys of its runs. */
export const STORED_IN_TEMPORAL: Readonly<Record<string, StorageRule>> = {
  generation: { erased: 'runs' },
  job: { erased: 'runs' },
  batch: { erased: 'runs' },
  batchShard: { erased: 'runs' },
  scheduledRun: { erased: 'runs' },
  webhookDelivery: { erased: 'runs' },
  budgetWarning: { erased: 'runs' },
  erasure: { holds: 'ids and counts' },
};

/** By the beginning of the name of a collection. */
export const STORED_IN_QDRANT: Readonly<Record<string, StorageRule>> = {
  'unbroken-answers-': { erased: 'cachedAnswers' },
};
