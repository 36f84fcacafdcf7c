/** Flights in Redis: one script decides each step, so of many generations that ask at once exactly one leads. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { REDIS_KEYS } from '../../contracts/names.ts';
import {
  askScript,
  askScriptForTexts,
  type Script,
  type ScriptRedis,
} from '../../platform/redis/lua-script.ts';
import { withTimeout } from '../../platform/with-timeout.ts';
import type { Embedder } from '../embedding/embedder.ts';
import type { CacheQuestion } from './answer-cache.ts';
import { cacheKey, entryIdOf, partitionOf, pointId, userTexts } from './cache-key.ts';
import { embeddedText, isComparable } from './compared-text.ts';
import type { ComplaintReader } from './complaints.ts';
import { RedisFlightMembers } from './flight-members.ts';
import { CLOSE, DISSOLVE, FORGET, JOIN } from './flight-scripts.ts';
import type { Debt, FlightRef, Flights, FlightWishes, Joined, WholeAnswer } from './flights.ts';
import { withoutQuarantined } from './objections.ts';
import type { Comparison, QuestionVerifier } from './question-verifier.ts';
import { similarityTo } from './text-similarity.ts';

/** The commands of a node-redis client that flights need. */
export interface FlightsRedis extends ScriptRedis {
  hGetAll(key: string): Promise<Record<string, string>>;
}

/** Open flights of one partition that a new question is compared with. */
const MOST_COMPARED = 32;
/** Multiplies the embedder's time limit: the verifier has accepted, so the wait will likely save a provider call. */
const PATIENCE = 2;
/** Of trigrams. */
const LEAST_SHARED_LETTERS = 0.15;

interface OtherFlight {
  readonly key: string;
  /** Of the answer that will be stored. */
  readonly id: string;
  readonly questions: readonly string[];
}

type FlightMatch = Omit<Extract<Joined, { readonly role: 'follow' }>, 'role' | 'leader' | 'questionId'>;

const openFlightSchema = z.object({ questions: z.array(z.string()), maxOutputTokens: z.number() });

export class RedisFlights implements Flights {
  readonly #redis: FlightsRedis;
  readonly #embedder: Embedder | null;
  readonly #verifier: QuestionVerifier;
  readonly #complaints: ComplaintReader;
  readonly #members: RedisFlightMembers;

  constructor({
    redis,
    embedder,
    verifier,
    complaints,
  }: {
    readonly redis: FlightsRedis;
    readonly embedder: Embedder | null;
    readonly verifier: QuestionVerifier;
    readonly complaints: ComplaintReader;
  }) {
    this.#redis = redis;
    this.#embedder = embedder;
    this.#verifier = verifier;
    this.#complaints = complaints;
    this.#members = new RedisFlightMembers(redis);
  }

  enter(leader: string, generationId: string): Promise<boolean> {
    return this.#members.enter(leader, generationId);
  }

  leave(leader: string, generationId: string): Promise<Debt> {
    return this.#members.leave(leader, generationId);
  }

  discharge(leader: string, generationId: string): Promise<void> {
    return this.#members.discharge(leader, generationId);
  }

  async join(
    question: CacheQuestion,
    generationId: string,
    { askedAtMs, mayLead, acceptedFalseHits }: FlightWishes,
  ): Promise<Joined> {
    const own = flightOf(question);
    const questionId = pointId(cacheKey(question));
    const similar = await this.#findSimilar(own, question, acceptedFalseHits);
    const description = mayLead ? describeFlight(question) : '';
    const candidates = [
      ...(similar === null ? [] : [{ match: similar, description: '' }]),
      {
        match: { flight: own, similarity: 1, matchedBy: 'same-words', entryId: questionId } as const,
        description,
      },
    ];
    for (const { match, description } of candidates) {
      const { flight } = match;
      const [role = '', leader = ''] = await askScriptForTexts(this.#redis, JOIN, {
        keys: keysOf(flight),
        ask: { flight: flight.key, generationId, askedAtMs },
        texts: [description],
      });
      if (role === 'lead') return { role: 'alone' };
      if (role === 'follow') return { role: 'follow', leader, ...match, questionId };
    }
    return { role: 'alone' };
  }

  async close(question: CacheQuestion, answer: WholeAnswer): Promise<number> {
    const [by] = await Promise.all([
      this.#members.close(answer),
      this.#end(CLOSE, flightOf(question), answer.generationId),
    ]);
    return by;
  }

  async forget(question: CacheQuestion, generationId: string): Promise<void> {
    await this.#end(FORGET, flightOf(question), generationId);
  }

  async dissolve(flight: FlightRef, leader: string): Promise<void> {
    await this.#end(DISSOLVE, flight, leader);
  }

  #end(called: Script, flight: FlightRef, leader: string): Promise<unknown> {
    return askScript(this.#redis, called, { keys: keysOf(flight), ask: { flight: flight.key, leader } });
  }

  /** An open flight of other words that ask the same; null if the verifier is late. It is fast, so it comes first. */
  async #findSimilar(
    { partition, key: ownKey }: FlightRef,
    question: CacheQuestion,
    acceptedFalseHits: number,
  ): Promise<FlightMatch | null> {
    if (this.#embedder === null) return null;
    const open = Object.entries(await this.#redis.hGetAll(REDIS_KEYS.openFlights(partition)));
    if (open.length === 0 || open.some(([key]) => key === ownKey)) return null;
    const questions = userTexts(question);
    if (!isComparable(questions)) return null;
    const others = open.slice(0, MOST_COMPARED).flatMap(([key, description]) => {
      const { data } = openFlightSchema.safeParse(JSON.parse(description));
      if (data === undefined || data.maxOutputTokens !== question.input.maxOutputTokens) return [];
      if (!isComparable(data.questions)) return [];
      return [{ key, questions: data.questions, id: entryIdOf(partition, data.questions) }];
    });
    const [found] = await this.#accept(question, likelyFirst(questions, others), acceptedFalseHits);
    if (found === undefined) return null;
    const { leastSimilarity } = this.#embedder;
    const similarity = await similarityOf(this.#embedder, question, found.questions);
    if (similarity < found.requiredFrom(leastSimilarity)) return null;
    const { key, id, probability } = found;
    const matchedBy = probability === undefined ? 'rules' : 'model';
    return { flight: { partition, key }, similarity, matchedBy, probability, entryId: id };
  }

  /** What the verifier and the complaints leave; nothing if either is late. */
  async #accept(question: CacheQuestion, likely: readonly OtherFlight[], acceptedFalseHits: number) {
    const { tenant } = question;
    const others = likely.map(({ questions }) => questions);
    const [compared, complaints] = await Promise.all([
      this.#verifier
        .compare(userTexts(question), others, { tenant, acceptedFalseHits })
        .catch((): Comparison[] => []),
      this.#complaints.of(
        tenant,
        likely.map(({ id }) => id),
      ),
    ]);
    const accepted = likely
      .map((other, at) => ({ ...other, ...compared[at] }))
      .filter(({ agreement }) => agreement === 'same');
    return withoutQuarantined(this.#verifier, question, accepted, { acceptedFalseHits, complaints });
  }
}

/** Those that share enough letters, the most first: without vectors, this says what is worth a model's time. */
function likelyFirst(questions: readonly string[], others: readonly OtherFlight[]): OtherFlight[] {
  const shareOf = similarityTo(questions.join('\n'));
  return others
    .map((other) => ({ other, share: shareOf(other.questions.join('\n')) }))
    .filter(({ share }) => share >= LEAST_SHARED_LETTERS)
    .sort((a, b) => b.share - a.share)
    .map(({ other }) => other);
}

/** The output cap is part of the key: a follower must receive what its own call would have given. */
function flightOf(question: CacheQuestion): FlightRef {
  const key = createHash('sha256')
    .update(`${cacheKey(question)}:${question.input.maxOutputTokens}`)
    .digest('hex');
  return { partition: partitionOf(question), key };
}

function keysOf({ partition, key }: FlightRef): readonly string[] {
  return [REDIS_KEYS.flight(partition, key), REDIS_KEYS.openFlights(partition)];
}

function describeFlight(question: CacheQuestion): string {
  return JSON.stringify({
    questions: userTexts(question),
    maxOutputTokens: question.input.maxOutputTokens,
  } satisfies z.infer<typeof openFlightSchema>);
}

/** 0 if the embedder is late or fails: then nothing is similar. */
async function similarityOf(
  embedder: Embedder,
  question: CacheQuestion,
  otherTexts: readonly string[],
): Promise<number> {
  const embed = (texts: readonly string[]) =>
    withTimeout(
      'the embedder',
      PATIENCE * embedder.timeoutMs,
      embedder.embed(embeddedText(texts), question.tenant),
    );
  try {
    const [own, other] = await Promise.all([embed(userTexts(question)), embed(otherTexts)]);
    return Math.min(
      1,
      own.reduce((sum, value, index) => sum + value * (other[index] ?? 0), 0),
    );
  } catch {
    return 0;
  }
}
