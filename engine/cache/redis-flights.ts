/** Flights in Redis: one script decides each step, so of many who come at once exactly one leads. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { runScript, type Script, type ScriptRedis } from '../../platform/redis/lua-script.ts';
import { withTimeout } from '../../platform/with-timeout.ts';
import type { Embedder } from '../embedding/embedder.ts';
import type { CacheQuestion } from './answer-cache.ts';
import { cacheKey, partitionOf, userTexts } from './cache-key.ts';
import { createFlightMembers } from './flight-members.ts';
import { CLOSE, DISSOLVE, FORGET, JOIN } from './flight-scripts.ts';
import type { FlightRef, Flights } from './flights.ts';
import type { Agreement, QuestionVerifier } from './question-verifier.ts';
import { embeddedText, isComparable } from './semantic-answer-cache.ts';

/** What the flights need of a node-redis client. */
export interface FlightsRedis extends ScriptRedis {
  hGetAll(key: string): Promise<Record<string, string>>;
}

/** A flight whose leader was ended by force is forgotten after this; its followers notice it sooner. */
const LEASE_MS = 10 * 60_000;
/** A closed flight bridges the time until its answer is stored. */
const CLOSED_MS = 3_000;
/** Open flights of one partition that a newcomer compares itself with. */
const MOST_COMPARED = 32;

/** The verifier has said yes, so a call of the provider is likely to be saved: worth a longer wait than a look-up. */
const PATIENCE = 2;

const openFlightSchema = z.object({ questions: z.array(z.string()), maxOutputTokens: z.number() });

export function createRedisFlights({
  redis,
  embedder,
  verifier,
}: {
  readonly redis: FlightsRedis;
  readonly embedder: Embedder | null;
  readonly verifier: QuestionVerifier;
}): Flights {
  const run = (script: Script, { partition, key }: FlightRef, args: readonly string[]) => {
    const keys = [REDIS_KEYS.flight(partition, key), REDIS_KEYS.openFlights(partition)];
    return runScript(redis, script, keys, [key, ...args]);
  };

  const members = createFlightMembers(redis);

  return {
    ...members,

    async join(question, generationId, { mayLead, threshold }) {
      const partition = partitionOf(question);
      const own = flightKey(question);
      const near = await findSimilar(own, question, threshold);
      const attempts = [
        ...(near === null ? [] : [{ key: near.key, similarity: near.similarity, asks: '' }]),
        { key: own, similarity: 1, asks: mayLead ? describe(question) : '' },
      ];
      for (const { key, similarity, asks } of attempts) {
        const flight = { partition, key };
        const reply = await run(JOIN, flight, [generationId, String(LEASE_MS), asks]);
        const [role = '', leader = ''] = z.array(z.coerce.string()).parse(reply);
        if (role === 'lead') return { role: 'alone' };
        if (role === 'none') continue;
        return { role: 'follow', leader, flight, similarity };
      }
      return { role: 'alone' };
    },

    async close(question, answer) {
      const flight = { partition: partitionOf(question), key: flightKey(question) };
      const [by] = await Promise.all([
        members.close(answer),
        run(CLOSE, flight, [answer.generationId, String(CLOSED_MS)]),
      ]);
      return by;
    },

    async forget(question, generationId) {
      const flight = { partition: partitionOf(question), key: flightKey(question) };
      await run(FORGET, flight, [generationId]);
    },

    async dissolve(flight, leader) {
      await run(DISSOLVE, flight, [leader]);
    },
  };

  /** An open flight of other words that asks the same; none where the verifier is late. It is quick, so it comes first. */
  async function findSimilar(own: string, question: CacheQuestion, threshold: number) {
    if (embedder === null) return null;
    const open = Object.entries(await redis.hGetAll(REDIS_KEYS.openFlights(partitionOf(question))));
    if (open.length === 0 || open.some(([key]) => key === own)) return null;
    const questions = userTexts(question);
    if (!isComparable(questions)) return null;
    const others = open.slice(0, MOST_COMPARED).flatMap(([key, described]) => {
      const { data } = openFlightSchema.safeParse(JSON.parse(described));
      if (data === undefined || data.maxOutputTokens !== question.input.maxOutputTokens) return [];
      return isComparable(data.questions) ? [{ key, questions: data.questions }] : [];
    });
    const agreements = await verifier
      .compare(
        questions,
        others.map((other) => other.questions),
        question.tenant,
      )
      .catch((): Agreement[] => []);
    for (const { key, questions: theirs } of others.filter((_, at) => agreements[at] === 'same')) {
      const similarity = await similarityOf(embedder, question, theirs);
      if (similarity >= threshold) return { key, similarity };
    }
    return null;
  }
}

/** The output cap is part of it: a follower must get what it would have got by itself. */
function flightKey(question: CacheQuestion): string {
  return createHash('sha256')
    .update(`${cacheKey(question)}:${question.input.maxOutputTokens}`)
    .digest('hex');
}

function describe(question: CacheQuestion): string {
  return JSON.stringify({
    questions: userTexts(question),
    maxOutputTokens: question.input.maxOutputTokens,
  } satisfies z.infer<typeof openFlightSchema>);
}

/** 0 where the embedder is late or away: then nobody is similar. */
async function similarityOf(
  embedder: Embedder,
  one: CacheQuestion,
  other: readonly string[],
): Promise<number> {
  const embed = (questions: readonly string[]) =>
    withTimeout(
      'the embedder',
      PATIENCE * embedder.timeoutMs,
      embedder.embed(embeddedText(questions), one.tenant),
    );
  try {
    const [a, b] = await Promise.all([embed(userTexts(one)), embed(other)]);
    return Math.min(
      1,
      a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0),
    );
  } catch {
    return 0;
  }
}
