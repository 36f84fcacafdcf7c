/** Checks a version of a prompt when it is created, and fills it with the values of a request. */
import { UnbrokenError } from '../../contracts/errors.ts';
import type { Message } from '../../contracts/generation.ts';
import { LIMITS } from '../../contracts/limits.ts';
import {
  fillTemplate,
  parseTemplate,
  TemplateError,
  type TemplateSegment,
  variablesOf,
} from '../../contracts/prompt-template.ts';
import type { PromptContent, PromptReference } from '../../contracts/prompts.ts';

interface RenderedPrompt {
  readonly system: string | undefined;
  readonly messages: readonly Message[];
}

/** Rejects a version that could not be filled: bad placeholders, undeclared or unused variables, too long defaults. */
export function checkContent(content: PromptContent): void {
  const used = new Set<string>();
  const templates = templatesOf(content);
  const chars = templates.reduce((sum, [, source]) => sum + source.length, 0);
  if (chars > LIMITS.promptChars) throw tooLarge(`${chars} characters`, LIMITS.promptChars);
  let places = 0;
  for (const [where, source] of templates) {
    try {
      for (const name of variablesOf(parseTemplate(source))) {
        used.add(name);
        places += 1;
      }
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      throw new UnbrokenError('invalid_request', `${where}: ${error.message}.`);
    }
  }
  if (places > LIMITS.placesPerPrompt)
    throw tooLarge(`${places} places of variables`, LIMITS.placesPerPrompt);
  const declared = Object.keys(content.variables);
  const faults = [
    ...[...used]
      .filter((name) => !declared.includes(name))
      .map((name) => `{{${name}}} is not declared in variables`),
    ...declared.filter((name) => !used.has(name)).map((name) => `variables.${name} is not used`),
    ...Object.entries(content.variables)
      .filter(([, variable]) => (variable.default?.length ?? 0) > variable.maxChars)
      .map(([name]) => `variables.${name}: the default is longer than maxChars`),
  ];
  if (faults.length > 0) throw new UnbrokenError('invalid_request', `${faults.join('; ')}.`);
}

function tooLarge(has: string, most: number): UnbrokenError {
  return new UnbrokenError('invalid_request', `The prompt has ${has} of at most ${most}.`);
}

/** Throws prompt_variables_invalid, which names every variable that is missing, unknown or too long. */
export function renderPrompt(
  content: PromptContent,
  { name, variables }: Pick<PromptReference, 'name' | 'variables'>,
): RenderedPrompt {
  const values = new Map<string, string>();
  const faults = Object.keys(variables)
    .filter((variable) => !Object.hasOwn(content.variables, variable))
    .map((variable) => `"${variable}" is unknown`);
  for (const [variable, { maxChars, default: fallback }] of Object.entries(content.variables)) {
    const raw = Object.hasOwn(variables, variable) ? variables[variable] : fallback;
    if (raw === undefined) {
      faults.push(`"${variable}" is missing`);
      continue;
    }
    const value = String(raw);
    if (value.length > maxChars) {
      faults.push(`"${variable}" has ${value.length} characters of at most ${maxChars}`);
    }
    values.set(variable, value);
  }
  if (faults.length > 0) {
    const known = Object.keys(content.variables).join(', ') || 'none';
    throw new UnbrokenError(
      'prompt_variables_invalid',
      `prompt.variables of "${name}": ${faults.join('; ')}. It declares: ${known}.`,
    );
  }
  const system = content.system === undefined ? undefined : parseTemplate(content.system);
  const messages = (content.messages ?? []).map(({ role, content: source }) => ({
    role,
    segments: parseTemplate(source),
  }));
  const templates = messages.map(({ segments }) => segments);
  refuseTooLong(name, system === undefined ? templates : [system, ...templates], values);
  return {
    system: system === undefined ? undefined : fillTemplate(system, values),
    messages: messages.map(({ role, segments }) => ({ role, content: fillTemplate(segments, values) })),
  };
}

/** A value is inserted at every place of its variable, so a short prompt and a short value can make a huge text. */
function refuseTooLong(
  name: string,
  templates: readonly (readonly TemplateSegment[])[],
  values: ReadonlyMap<string, string>,
): void {
  const sizes = new Map([...values].map(([variable, value]) => [variable, Buffer.byteLength(value)]));
  let bytes = 0;
  for (const segment of templates.flat()) {
    bytes += 'text' in segment ? Buffer.byteLength(segment.text) : (sizes.get(segment.variable) ?? 0);
  }
  if (bytes <= LIMITS.requestBodyBytes) return;
  throw new UnbrokenError(
    'prompt_variables_invalid',
    `prompt.variables of "${name}": filled with these the prompt has ${bytes} bytes of at most ${LIMITS.requestBodyBytes}.`,
  );
}

function templatesOf({ system, messages = [] }: PromptContent): readonly (readonly [string, string])[] {
  return [
    ...(system === undefined ? [] : [['system', system] as const]),
    ...messages.map(({ content }, index) => [`messages.${index}.content`, content] as const),
  ];
}
