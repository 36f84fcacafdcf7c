/**
 * Goes on with an answer that ended by its length, as a new generation whose log begins with the text so far: a
 * reader has one text, and usage and cost are of the new part alone.
 */
import { UnbrokenError } from '../contracts/errors.ts';
import { type GenerationEvent, textOf } from '../contracts/events.ts';
import type { Candidate, ContinueRequest } from '../contracts/generation.ts';
import type { Caller } from './api-keys.ts';
import type { ApiDependencies } from './dependencies.ts';
import { findGeneration } from './find-generation.ts';
import { candidatesFor, hash, idFor, startGeneration } from './submit-generation.ts';

/**
 * Without an idempotency key there is one continuation of each generation: asked for again, it is the same.
 * Throws not_continuable, input_lost, or what finding and starting a generation throw.
 */
export async function continueGeneration(
  dependencies: ApiDependencies,
  caller: Caller,
  id: string,
  request: ContinueRequest,
  idempotencyKey: string | undefined,
): Promise<{ readonly generationId: string }> {
  const { config, log } = dependencies;
  const head = await findGeneration(dependencies, caller, id);
  const [events, input] = await Promise.all([log.read(id, -1), log.readInput(id)]);
  const end = endOf(id, events);
  if (input === null) throw new UnbrokenError('input_lost', `The input of ${id} is no longer stored.`);
  if (input.output !== undefined) {
    throw new UnbrokenError(
      'not_continuable',
      'An answer in JSON cannot be continued; raise maxOutputTokens.',
    );
  }
  const candidates =
    request.model === undefined
      ? withFirst({ provider: end.provider, model: end.model }, config.routes[head.route] ?? [])
      : candidatesFor(dependencies, { model: request.model }, head.route);
  const generationId = idFor(caller, idempotencyKey ?? `continue ${id}`);
  const firstGenerationId = input.continues?.firstGenerationId ?? id;
  return startGeneration(dependencies, caller, {
    ...{ generationId, user: head.user, route: head.route, candidates },
    input: {
      ...input,
      ...(request.maxOutputTokens === undefined
        ? {}
        : { maxOutputTokens: request.maxOutputTokens, capFrom: 'request' }),
      continues: { generationId: id, firstGenerationId, text: textOf(events) },
    },
    // An answer in two parts is no answer to the question of either.
    cache: 'off',
    requestHash: hash(JSON.stringify(['continue', id, { ...request, stream: undefined }])),
    metadata: head.metadata,
    known: await log.head(generationId),
  });
}

function endOf(id: string, events: readonly GenerationEvent[]) {
  const end = events.at(-1);
  if (end?.type !== 'generation-end' || end.finishReason !== 'length') {
    const state =
      end?.type === 'generation-end' ? `finishReason: ${end.finishReason}` : 'it has no whole answer';
    throw new UnbrokenError('not_continuable', `${id} did not end by its length (${state}).`);
  }
  const reset = events.findLastIndex((event) => event.type === 'text-reset');
  if (events.slice(reset + 1).some((event) => event.type === 'tool-call-delta')) {
    throw new UnbrokenError('not_continuable', `${id} was cut within a tool call.`);
  }
  return end;
}

/** The model that wrote the text knows best how it goes on. */
function withFirst(first: Candidate, others: readonly Candidate[]): readonly Candidate[] {
  return [
    first,
    ...others.filter(({ provider, model }) => provider !== first.provider || model !== first.model),
  ];
}
