/** A Qdrant for one test file, and caches on it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QdrantClient } from '@qdrant/js-client-rest';
import { NO_USAGE } from '../../../contracts/money.ts';
import type {
  AnswerCache,
  AnswerToStore,
  CacheQuestion,
  LookUpLimits,
} from '../../../engine/cache/answer-cache.ts';
import { cacheKey, pointId } from '../../../engine/cache/cache-key.ts';
import type { ComplaintReader } from '../../../engine/cache/complaints.ts';
import { createJudge, type JudgeModel } from '../../../engine/cache/judge.ts';
import { collectionName, QdrantAnswers } from '../../../engine/cache/qdrant-answers.ts';
import { SemanticAnswerCache } from '../../../engine/cache/semantic-answer-cache.ts';
import { createThreadedVerifier } from '../../../engine/cache/threaded-verifier.ts';
import { createLocalEmbedder } from '../../../engine/embedding/local-embedder.ts';
import { SentenceEncoder } from '../../../engine/embedding/sentence-encoder.ts';
import { findFreePort } from '../../../tools/services/ports.ts';
import { findQdrantExecutable } from '../../../tools/services/programs/qdrant.js';
import { startQdrant } from '../../../tools/services/provide-qdrant.ts';
import { PATIENT } from '../../harness/patience.ts';

const DAY_MS = 24 * 3_600_000;

/** Of one test file: the next one in the process gets others. */
let models = createModels();
export const COLLECTION = collectionName(models.embedder.name);
export const LEAST_SIMILARITY = models.embedder.leastSimilarity;
export const LIMITS: LookUpLimits = { acceptedFalseHits: 0.01, maxAgeMs: null, judge: false };

function createModels() {
  return {
    // The promises here are not about how busy the machine is.
    embedder: { ...createLocalEmbedder(new SentenceEncoder()), timeoutMs: PATIENT.waitMs },
    verifier: createThreadedVerifier(PATIENT),
    rules: createThreadedVerifier(PATIENT, 'rules'),
  };
}

export interface TestQdrant {
  readonly url: string;
  readonly pid: number;
  readonly raw: QdrantClient;
  stop(): Promise<void>;
}

export async function startTestQdrant(): Promise<TestQdrant> {
  const folder = mkdtempSync(join(tmpdir(), 'unbroken-cache-'));
  const lines: string[] = [];
  const report = (line: string) => {
    lines.push(line);
  };
  const executable = await findQdrantExecutable(report);
  const server = await startQdrant({ executable, dataDir: folder, port: await findFreePort(), report });
  return {
    url: server.url,
    pid: server.process.pid,
    raw: new QdrantClient({ url: server.url, checkCompatibility: false }),
    async stop() {
      const { embedder, verifier, rules } = models;
      models = createModels();
      await Promise.all([embedder.close(), verifier.close(), rules.close()]);
      await server.process.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function answersAt(url: string, timeoutMs: number): QdrantAnswers {
  return new QdrantAnswers({ url, embedder: models.embedder, timeoutMs });
}

const NO_COMPLAINTS: ComplaintReader = { of: async () => new Map() };

/** @param by judges what the rules alone leave open. */
export function cacheAt(
  url: string,
  timeoutMs: number,
  by?: JudgeModel,
  {
    leastSimilarity = models.embedder.leastSimilarity,
    complaints = NO_COMPLAINTS,
  }: { readonly leastSimilarity?: number; readonly complaints?: ComplaintReader } = {},
): AnswerCache {
  const { embedder, verifier, rules } = models;
  return new SemanticAnswerCache({
    answers: answersAt(url, timeoutMs),
    embedder: { ...embedder, leastSimilarity },
    verifier: by === undefined ? verifier : rules,
    complaints,
    timeoutMs,
    judge: by === undefined ? null : createJudge({ provider: 'p', model: 'small', timeoutMs: 1_000, by }),
  });
}

export const question: CacheQuestion = {
  tenant: 'acme',
  onlyUser: null,
  candidates: [
    { provider: 'openai', model: 'gpt-4o-mini' },
    { provider: 'anthropic', model: 'claude-haiku' },
  ],
  input: {
    system: 'Be short.',
    messages: [{ role: 'user', content: 'How do I enable two-factor authentication?' }],
    maxOutputTokens: 100,
  },
};
export const entryId = pointId(cacheKey(question));

export function asking(content: string): CacheQuestion {
  return { ...question, input: { ...question.input, messages: [{ role: 'user', content }] } };
}

export const paraphrase = asking('How can I turn on two-factor authentication?');

export const answer: AnswerToStore = {
  text: 'Open the settings. \u{1F512}',
  provider: 'openai',
  model: 'gpt-4o-mini',
  finishReason: 'stop',
  usage: { ...NO_USAGE, inputTokens: 12, outputTokens: 5 },
  storedAtMs: Date.now(),
  user: 'ann',
  ttlMs: DAY_MS,
  generationId: 'gen_1',
  mayStore: async () => true,
};
