/** What is sent in a run, by seed alone: the same seed plans the same lines and the same pipelines. */
import type { NewPipeline } from '../../../clients/typescript/index.ts';
import { createRandom, pick } from '../../harness/random.ts';

/** The batch of OpenAI's format, the one that is cancelled, the message batch; and two that wait at vendors. */
const BATCHES = ['o', 'c', 'a', 'w', 'm'] as const;
export type BatchLetter = (typeof BATCHES)[number];

export interface PlannedLine {
  readonly customId: string;
  /** In its prompt, and in no other. */
  readonly mark: string;
  readonly prompt: string;
  readonly model: string;
  /** It names a model that does not exist, so that the error file has lines, too. */
  readonly isRefused: boolean;
}

export interface PlannedJob {
  /** Its Idempotency-Key is made of it. */
  readonly name: string;
  readonly topic: string;
  /** Whether a person has to approve it. */
  readonly isApproved: boolean;
}

/** The first one can reattach to a response; the others continue it, or start over. */
const MODELS = [
  'simulated/sim-large',
  'simulated/sim-large',
  'simulated/sim-large',
  'simulated-messages/sim-large',
  'simulated-chat/sim-large',
] as const;
const UNKNOWN_MODEL = 'unknown/model';
const ONE_IN_REFUSED = 20;
/** Long enough for a worker to die in the middle of it. */
const ONE_IN_LONG = 10;

const MARK = /\b(?:line|step|tick)-[a-z0-9.]+;/;

/** Whose call this is: a prompt begins with its mark, and may quote other answers after it. */
export function markIn(prompt: string): string | null {
  return MARK.exec(prompt)?.[0] ?? null;
}

/** @param batch begins the custom_id of each. */
export function planLines(seed: number, batch: BatchLetter, count: number): readonly PlannedLine[] {
  const random = createRandom(seed * 300_007 + BATCHES.indexOf(batch));
  return Array.from({ length: count }, (_, index) => {
    const customId = `${batch}${index}`;
    const mark = `line-${customId};`;
    const isLong = random.between(1, ONE_IN_LONG) === 1;
    const pace = isLong
      ? 'tokens=60 delay_ms=25'
      : `tokens=${pick(random, [4, 8, 15])} delay_ms=${pick(random, [0, 4])}`;
    const model = pick(random, MODELS);
    const isRefused = random.between(1, ONE_IN_REFUSED) === 1;
    return {
      customId,
      mark,
      prompt: `Story ${mark} [[sim script=mixed ${pace}]]`,
      model: isRefused ? UNKNOWN_MODEL : model,
      isRefused,
    };
  });
}

const ONE_IN_APPROVED = 3;

/** How lines wait at vendors, so that some are answered there, and some must be called. */
export function planWait(lines: number) {
  const runMs = Math.min(MOST_RUN_MS, Math.max(LEAST_RUN_MS, lines * RUN_MS_PER_LINE));
  const waitMs = PREPARED_WITHIN_MS + (runMs * 2) / 3;
  return { runMs, waitMs };
}

const RUN_MS_PER_LINE = 150;
const LEAST_RUN_MS = 8_000;
const MOST_RUN_MS = 150_000;
const PREPARED_WITHIN_MS = 15_000;

export function planJobs(count: number): readonly PlannedJob[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `j${index}`,
    topic: `harbours, number ${index}`,
    isApproved: index % ONE_IN_APPROVED === 0,
  }));
}

/** What a step is asked. The pipeline fills in templates, and the judge what they must become. */
export const STEP_PROMPTS = {
  outline: (job: string, topic: string) => `Outline step-${job}.outline; of ${topic}. [[sim delay_ms=3]]`,
  section: (job: string, index: string, heading: string) =>
    `Write step-${job}.sections.${index}; about ${heading}. [[sim script=mixed tokens=25 delay_ms=15]]`,
  edit: (job: string, sections: string) =>
    `Edit step-${job}.edit; of: ${sections} [[sim script=mixed tokens=40 delay_ms=15]]`,
  title: (job: string) => `Title step-${job}.title; [[sim script=mixed tokens=5 delay_ms=5]]`,
} as const;

export const OUTLINE = {
  name: 'outline',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['sections'],
    properties: {
      sections: { type: 'array', minItems: 2, maxItems: 3, items: { type: 'string', maxLength: 60 } },
    },
  },
};

/** An outline, its sections in parallel, an edit, for some a person's approval, a title; then one document. */
export function pipelineOf({ name, isApproved }: PlannedJob): NewPipeline {
  const common = { cache: 'off', model: 'simulated/sim-large', maxOutputTokens: 400, retries: 2 } as const;
  return {
    input: { topic: {} },
    steps: {
      outline: { ...common, input: STEP_PROMPTS.outline(name, '{{/input/topic}}'), output: OUTLINE },
      sections: {
        ...common,
        foreach: '/steps/outline/sections',
        input: STEP_PROMPTS.section(name, '{{/index}}', '{{/item}}'),
      },
      edit: { ...common, input: STEP_PROMPTS.edit(name, '{{/steps/sections}}') },
      ...(isApproved ? { [APPROVAL]: { needs: ['edit'], approve: { message: 'Publish it?' } } } : {}),
      title: { ...common, needs: [isApproved ? APPROVAL : 'edit'], input: STEP_PROMPTS.title(name) },
    },
    output: '{{/steps/title}}\n\n{{/steps/edit}}',
  };
}

export const APPROVAL = 'release';

/** The sections as a text: a list of texts is joined by blank lines. */
export function joinSections(sections: readonly string[]): string {
  return sections.join('\n\n');
}

export function documentOf(title: string, edit: string): string {
  return `${title}\n\n${edit}`;
}

export interface PlannedSchedule {
  /** Who pays for it, and for nothing else: the ledger shows what its ticks have started. */
  readonly user: string;
  readonly kind: 'generation' | 'job';
  readonly everyMs: number;
  /** Ticks of a time that is past; null: it runs by the clock. */
  readonly backfill: { readonly from: string; readonly until: string; readonly ticks: number } | null;
}

export const SCHEDULES: readonly PlannedSchedule[] = [
  { user: 'ticker-0', kind: 'generation', everyMs: 10_000, backfill: null },
  { user: 'ticker-1', kind: 'job', everyMs: 10_000, backfill: null },
  {
    user: 'ticker-2',
    kind: 'generation',
    everyMs: 3_600_000,
    // On no tick, so that both ends are clear.
    backfill: { from: '2026-01-01T00:30:00Z', until: '2026-01-01T12:30:00Z', ticks: 12 },
  },
];

export function tickPrompt({ user }: PlannedSchedule): string {
  return `Morning tick-${user.replace('-', '.')}; [[sim script=mixed tokens=8 delay_ms=5]]`;
}
