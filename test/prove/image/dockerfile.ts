/** A Dockerfile as a list of stages and their steps; what it does not know is an error, so that no step is skipped. */

export type Step =
  | { readonly kind: 'run'; readonly command: string }
  | {
      readonly kind: 'copy';
      readonly from: string | undefined;
      readonly sources: string[];
      readonly target: string;
    }
  | { readonly kind: 'workdir'; readonly folder: string }
  | { readonly kind: 'env'; readonly variables: Readonly<Record<string, string>> };

export interface Stage {
  /** Such as `node:24.21.0-slim`. */
  readonly image: string;
  /** Undefined for the last one. */
  readonly name: string | undefined;
  readonly steps: readonly Step[];
  readonly command: readonly string[];
  readonly healthCheck: readonly string[];
}

interface OpenStage extends Stage {
  readonly steps: Step[];
  command: readonly string[];
  healthCheck: readonly string[];
}

/** They say something about the container that runs, and change no file. */
const WITHOUT_STEP = new Set(['USER', 'EXPOSE']);

export function parseDockerfile(text: string): Stage[] {
  const stages: OpenStage[] = [];
  for (const line of instructionsOf(text)) {
    const [, instruction = '', rest = ''] = /^([A-Z]+)\s+(.*)$/s.exec(line) ?? [];
    const stage = stages.at(-1);
    if (instruction === 'FROM') stages.push(openStage(rest));
    else if (stage === undefined) throw new Error(`before the first FROM: ${line}`);
    else if (instruction === 'CMD') stage.command = listOf(rest);
    else if (instruction === 'HEALTHCHECK') stage.healthCheck = listOf(rest.slice(rest.indexOf('CMD ') + 4));
    else if (!WITHOUT_STEP.has(instruction)) stage.steps.push(stepOf(instruction, rest));
  }
  return stages;
}

/** Comments and blank lines are gone, and each instruction is one line. */
function instructionsOf(text: string): string[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.trimStart().startsWith('#'));
  return lines
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n');
}

function openStage(rest: string): OpenStage {
  const [, image = '', name] = /^(\S+)(?: AS (\S+))?$/.exec(rest) ?? [];
  if (image === '') throw new Error(`FROM ${rest}`);
  return { image, name, steps: [], command: [], healthCheck: [] };
}

function stepOf(instruction: string, rest: string): Step {
  if (instruction === 'RUN') return { kind: 'run', command: rest };
  if (instruction === 'WORKDIR') return { kind: 'workdir', folder: rest };
  if (instruction === 'ENV') {
    const pairs = rest
      .split(/\s+/)
      .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]);
    return { kind: 'env', variables: Object.fromEntries(pairs) };
  }
  if (instruction !== 'COPY')
    throw new Error(`an instruction that the proof does not know: ${instruction} ${rest}`);
  const words = rest.split(/\s+/);
  const flags = words.filter((word) => word.startsWith('--'));
  if (flags.some((flag) => !flag.startsWith('--from=')))
    throw new Error(`a flag that the proof does not know: COPY ${rest}`);
  const paths = words.filter((word) => !word.startsWith('--'));
  const target = paths.pop() ?? '';
  return { kind: 'copy', from: flags[0]?.slice('--from='.length), sources: paths, target };
}

function listOf(text: string): string[] {
  const list: unknown = JSON.parse(text);
  if (!Array.isArray(list)) throw new Error(`not in the exec form: ${text}`);
  return list.map(String);
}
