/** Composes what is sent to a model: the request, its named prompt, and the settings of its route. */
import type { CompressionTarget } from '../../contracts/compression.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import type {
  GenerationInput,
  GenerationRequest,
  Message,
  OutputCapSource,
} from '../../contracts/generation.ts';
import { DEFAULTS, LIMITS } from '../../contracts/limits.ts';
import type { PromptContent, PromptUse } from '../../contracts/prompts.ts';
import type { ArmUnit } from '../../engine/prompts/choose-arm.ts';
import { renderPrompt } from '../../engine/prompts/render-prompt.ts';
import type { Config } from '../../platform/config/load-config.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { sealWebhook } from './seal-webhook.ts';

interface Composition extends ArmUnit {
  readonly tenant: string;
  readonly route: string;
}

interface ResolvedPrompt {
  readonly use: PromptUse;
  readonly content: PromptContent;
}

type Composing = Pick<ApiDependencies, 'config' | 'promptStats' | 'prompts' | 'webhookEndpoints'>;

/** @throws prompt_not_found, prompt_variables_invalid, invalid_request */
export async function composeInput(
  dependencies: Composing,
  composition: Composition,
  request: GenerationRequest,
): Promise<GenerationInput> {
  const { config } = dependencies;
  const prompt = await resolvePrompt(dependencies, composition, request);
  const rendered =
    prompt === null || request.prompt === undefined ? null : renderPrompt(prompt.content, request.prompt);
  if (rendered?.system !== undefined && request.system !== undefined) {
    throw new UnbrokenError('invalid_request', 'system: the prompt has one; leave it out of the request.');
  }
  const messages = [...(rendered?.messages ?? []), ...messagesOf(request.input)];
  if (messages.length === 0 && rendered?.system === undefined && request.system === undefined) {
    throw new UnbrokenError('invalid_request', 'input: expected a text or messages.');
  }
  const system = withConciseness(rendered?.system ?? request.system, composition.route, config);
  const compression = compressionFor(request, prompt, composition.route, config);
  const { default: cachingByDefault, routes: cachingByRoute } = config.promptCaching;
  const promptCaching = request.promptCaching ?? own(cachingByRoute, composition.route) ?? cachingByDefault;
  const [maxOutputTokens, capFrom] = await outputCap(dependencies, composition, request, prompt);
  return {
    messages,
    maxOutputTokens,
    capFrom,
    ...(system === undefined ? {} : { system }),
    ...settingsOf(request),
    ...outputCheckFor(request, composition.route, config),
    ...(prompt === null ? {} : { prompt: prompt.use }),
    ...(compression === undefined ? {} : { compression }),
    ...(promptCaching === '5m' ? {} : { promptCaching }),
    ...(request.webhook === undefined
      ? {}
      : { webhook: await sealWebhook(dependencies, composition.tenant, request.webhook) }),
  };
}

const SETTINGS = [
  'temperature',
  'topP',
  'topK',
  'seed',
  'logprobs',
  'frequencyPenalty',
  'presencePenalty',
  'verbosity',
  'stop',
  'tools',
  'toolChoice',
  'parallelToolCalls',
  'output',
  'reasoning',
  'native',
] as const satisfies readonly (keyof GenerationRequest & keyof GenerationInput)[];

/** The fields that reach the model as the request has them. */
export function settingsOf(request: GenerationRequest): Pick<GenerationInput, (typeof SETTINGS)[number]> {
  return Object.fromEntries(
    SETTINGS.flatMap((name) => {
      // Some vendors refuse 0, by which others turn it off.
      const isSet = request[name] !== undefined && !(name === 'topK' && request.topK === 0);
      return isSet ? [[name, request[name]]] : [];
    }),
  );
}

async function resolvePrompt(
  { prompts }: Composing,
  { tenant, user, generationId }: Composition,
  { prompt }: GenerationRequest,
): Promise<ResolvedPrompt | null> {
  if (prompt === undefined) return null;
  const { name, version, label, content } = await prompts.resolve(tenant, prompt, { user, generationId });
  return { use: { name, version, label }, content };
}

function messagesOf(input: GenerationRequest['input']): readonly Message[] {
  if (input === undefined) return [];
  return typeof input === 'string' ? [{ role: 'user', content: input }] : input;
}

function withConciseness(system: string | undefined, route: string, config: Config): string | undefined {
  const instruction = own(config.output.routes, route)?.concise;
  if (instruction === undefined) return system;
  return system === undefined ? instruction : `${system}\n\n${instruction}`;
}

/** The request overrides the prompt, and the prompt overrides the route. */
function compressionFor(
  request: GenerationRequest,
  prompt: ResolvedPrompt | null,
  route: string,
  config: Config,
): CompressionTarget | undefined {
  const target =
    request.compression ?? prompt?.content.compression ?? own(config.compression.routes, route) ?? 'off';
  return target === 'off' ? undefined : target;
}

/** The request overrides the route, and the route the default. Only an answer to a schema, or in JSON, is checked. */
export function outputCheckFor(
  { output, outputCheck }: Pick<GenerationRequest, 'output' | 'outputCheck'>,
  route: string,
  config: Config,
): Pick<GenerationInput, 'outputCheck'> {
  if (output === undefined) return {};
  const byDefault = own(config.output.routes, route)?.check ?? config.output.check;
  const check = outputCheck ?? byDefault;
  if (check === 'off') return {};
  const { attempts = DEFAULTS.outputAttempts, ...limits } = byDefault === 'off' ? {} : byDefault;
  return { outputCheck: { attempts, ...limits, ...check } };
}

/** The cap of the request, else of the prompt, else of the route, else what answers of this version needed so far. */
async function outputCap(
  { config, promptStats }: Composing,
  { tenant, route }: Composition,
  request: GenerationRequest,
  prompt: ResolvedPrompt | null,
): Promise<readonly [number, OutputCapSource]> {
  if (request.maxOutputTokens !== undefined) return [request.maxOutputTokens, 'request'];
  if (prompt?.content.maxOutputTokens !== undefined) return [prompt.content.maxOutputTokens, 'prompt'];
  const ofRoute = own(config.output.routes, route)?.maxOutputTokens;
  if (ofRoute !== undefined) return [ofRoute, 'route'];
  const byDefault = config.limits.defaultMaxOutputTokens;
  const { learn } = config.output;
  if (prompt === null || learn === null) return [byDefault, 'default'];
  const lengths = await promptStats.answerLength(tenant, prompt.use);
  if (lengths === null || lengths.answers < learn.minAnswers) return [byDefault, 'default'];
  const learntCap = Math.max(LIMITS.leastLearntTokens, Math.ceil(lengths.p99 * learn.margin));
  return learntCap < byDefault ? [learntCap, 'learnt'] : [byDefault, 'default'];
}

function own<Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
