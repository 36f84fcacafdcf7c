/**
 * Continues an answer that reached its length limit, as a new generation. Its log starts with the text so far, so that
 * a reader gets one text; its usage and cost are those of the new part alone.
 */
import { candidateName, isSameCandidate } from '../../contracts/candidate.ts';
import { compactionPart } from '../../contracts/compaction.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { GenerationEvent } from '../../contracts/events.ts';
import { textOf } from '../../contracts/fold-events.ts';
import type { Candidate, ContinueRequest, GenerationInput } from '../../contracts/generation.ts';
import { withContinuedText } from '../../contracts/tokens.ts';
import type { Caller } from '../access/api-keys.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { PreparedGeneration } from './build-order.ts';
import type { Asker } from './choose-route.ts';
import { findGeneration } from './find-generation.ts';
import { generationIdFor, hashRequest } from './generation-id.ts';
import { type Submitted, startGeneration } from './start-generation.ts';

interface Continuation {
  /** The generation to continue. */
  readonly id: string;
  readonly request: ContinueRequest;
  readonly idempotencyKey: string | undefined;
}

/**
 * Without an idempotency key a generation has one continuation, which a repeated request joins.
 * @throws not_continuable, input_lost, and what finding and starting a generation throw.
 */
export async function continueGeneration(
  dependencies: ApiDependencies,
  caller: Caller,
  { id, request, idempotencyKey }: Continuation,
): Promise<Submitted> {
  const { log } = dependencies;
  const head = await findGeneration(dependencies, caller, id);
  const [events, input] = await Promise.all([log.readMerged(id), log.readInput(id)]);
  const writer = requireLengthEnd(id, events);
  if (input === null) throw new UnbrokenError('input_lost', `The input of ${id} is no longer stored.`);
  if (input.output !== undefined) {
    throw new UnbrokenError(
      'not_continuable',
      'An answer in JSON cannot be continued; raise maxOutputTokens.',
    );
  }
  const generationId = generationIdFor(caller, idempotencyKey ?? `continue ${id}`);
  const continued = continuedInput(id, input, { events, request });
  return startGeneration(dependencies, caller, {
    isUnique: false,
    generationId,
    user: head.user,
    route: head.route,
    input: continued,
    chosen: chooseModels(dependencies, {
      route: head.route,
      model: request.model,
      writer,
      input: continued,
      asker: { tenant: caller.tenant, seed: generationId },
    }),
    // Neither part answers its question alone, so neither may be cached.
    cache: 'off',
    requestHash: hashRequest(['continue', id, { ...request, stream: undefined }]),
    metadata: head.metadata,
    known: await log.head(generationId),
  });
}

function continuedInput(
  id: string,
  input: GenerationInput,
  { events, request }: { readonly events: readonly GenerationEvent[]; readonly request: ContinueRequest },
): GenerationInput {
  const { maxOutputTokens } = request;
  const { compaction: _, ...rest } = input;
  return {
    ...rest,
    messages: compactedMessages(input, events),
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens, capFrom: 'request' }),
    continues: {
      generationId: id,
      firstGenerationId: input.continues?.firstGenerationId ?? id,
      text: textOf(events),
    },
  };
}

/** A summary that the first part has had written is used again. */
function compactedMessages(
  { messages }: GenerationInput,
  events: readonly GenerationEvent[],
): GenerationInput['messages'] {
  const note = events.find((event) => event.type === 'compaction');
  if (note === undefined) return messages;
  return [...messages, { role: 'assistant', content: [compactionPart(note.sealed)] }];
}

interface ModelChoice {
  readonly route: string;
  /** The model that the caller asks for. */
  readonly model: string | undefined;
  /** The model that wrote the text so far. */
  readonly writer: Candidate;
  readonly input: GenerationInput;
  readonly asker: Asker;
}

/** The model that wrote the text continues it best, so it comes first; the models of the route are fallbacks. */
function chooseModels(
  { routes, config }: ApiDependencies,
  { route, model, writer, input, asker }: ModelChoice,
): PreparedGeneration['chosen'] {
  const sent = withContinuedText(input);
  const name = model ?? candidateName(writer);
  const first = routes.choose({ model: name, route }, sent, asker);
  if (model !== undefined || !Object.hasOwn(config.routes, route)) return first;
  const others = routes.choose({ route }, sent, asker);
  const isOther = (candidate: Candidate) => !isSameCandidate(candidate, writer);
  const otherContextTokens = others.plan.contextTokens.filter((_, index) => {
    const candidate = others.candidates[index];
    return candidate !== undefined && isOther(candidate);
  });
  return {
    ...first,
    candidates: [...first.candidates, ...others.candidates.filter(isOther)],
    plan: {
      ...others.plan,
      contextTokens: [...first.plan.contextTokens, ...otherContextTokens],
      reasons: [`${name}: it wrote the text so far`, ...others.plan.reasons],
    },
  };
}

/** @returns the end of an answer that reached its length limit. @throws not_continuable for every other log. */
function requireLengthEnd(id: string, events: readonly GenerationEvent[]) {
  const end = events.at(-1);
  if (end?.type !== 'generation-end' || end.finishReason !== 'length') {
    const state =
      end?.type === 'generation-end' ? `finishReason: ${end.finishReason}` : 'it has no finished answer';
    throw new UnbrokenError('not_continuable', `${id} did not reach its length limit (${state}).`);
  }
  const reset = events.findLastIndex((event) => event.type === 'text-reset');
  if (events.slice(reset + 1).some((event) => event.type === 'tool-call-delta')) {
    throw new UnbrokenError('not_continuable', `${id} was cut off within a tool call.`);
  }
  return end;
}
