/**
 * Goes on with an answer that ended by its length, as a new generation whose log begins with the text so far: a
 * reader has one text, and usage and cost are of the new part alone.
 */
import { UnbrokenError } from '../../contracts/errors.ts';
import type { GenerationEvent } from '../../contracts/events.ts';
import { textOf } from '../../contracts/fold-events.ts';
import type { Candidate, ContinueRequest, GenerationInput } from '../../contracts/generation.ts';
import { withContinuedText } from '../../contracts/tokens.ts';
import type { Caller } from '../access/api-keys.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { Asker } from './choose-route.ts';
import { findGeneration } from './find-generation.ts';
import {
  hash,
  idFor,
  type PreparedGeneration,
  type Submitted,
  startGeneration,
} from './submit-generation.ts';

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
): Promise<Submitted> {
  const { log } = dependencies;
  const head = await findGeneration(dependencies, caller, id);
  const [events, input] = await Promise.all([log.readMerged(id), log.readInput(id)]);
  const end = endOf(id, events);
  if (input === null) throw new UnbrokenError('input_lost', `The input of ${id} is no longer stored.`);
  if (input.output !== undefined) {
    throw new UnbrokenError(
      'not_continuable',
      'An answer in JSON cannot be continued; raise maxOutputTokens.',
    );
  }
  const generationId = idFor(caller, idempotencyKey ?? `continue ${id}`);
  const continued: GenerationInput = {
    ...input,
    ...(request.maxOutputTokens === undefined
      ? {}
      : { maxOutputTokens: request.maxOutputTokens, capFrom: 'request' }),
    continues: {
      generationId: id,
      firstGenerationId: input.continues?.firstGenerationId ?? id,
      text: textOf(events),
    },
  };
  return startGeneration(dependencies, caller, {
    isUnique: false,
    generationId,
    user: head.user,
    route: head.route,
    input: continued,
    choice: choose(dependencies, head.route, request.model, end, continued, {
      tenant: caller.tenant,
      seed: generationId,
    }),
    // An answer in two parts is no answer to the question of either.
    cache: 'off',
    requestHash: hash(JSON.stringify(['continue', id, { ...request, stream: undefined }])),
    metadata: head.metadata,
    known: await log.head(generationId),
  });
}

/** The model that wrote the text knows best how it goes on; after it comes the route. */
function choose(
  { routes, config }: ApiDependencies,
  route: string,
  model: string | undefined,
  writer: Candidate,
  input: GenerationInput,
  asker: Asker,
): PreparedGeneration['choice'] {
  const sent = withContinuedText(input);
  const name = model ?? `${writer.provider}/${writer.model}`;
  const first = routes.choose({ model: name, route }, sent, asker);
  if (model !== undefined || !Object.hasOwn(config.routes, route)) return first;
  const others = routes.choose({ route }, sent, asker);
  const isNew = (one: Candidate) => one.provider !== writer.provider || one.model !== writer.model;
  return {
    candidates: [...first.candidates, ...others.candidates.filter(isNew)],
    plan: {
      ...others.plan,
      contextTokens: [
        ...first.plan.contextTokens,
        ...others.plan.contextTokens.filter((_, index) => {
          const candidate = others.candidates[index];
          return candidate !== undefined && isNew(candidate);
        }),
      ],
      reasons: [`${name}: it wrote the text so far`, ...others.plan.reasons],
    },
  };
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
