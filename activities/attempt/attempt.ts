/** One attempt at an answer: what it reads from and writes to, where it stands, and what it has used so far. */
import type { GenerationInput } from '../../contracts/generation.ts';
import { addUsage, NO_USAGE, type Usage } from '../../contracts/money.ts';
import type { StreamStep } from '../../contracts/steps.ts';
import type { Provider, ProviderCursor } from '../../engine/providers/provider.ts';
import type { LogWriter } from '../../engine/streaming/event-log.ts';
import type { Dependencies } from '../dependencies.ts';
import type { GenerationRecord } from '../generation-record.ts';
import { estimateUsage } from './account-attempt.ts';
import type { AttemptPass } from './gate-admission.ts';
import type { Checkpoint, ResponseDuties, Resume } from './resume-plan.ts';
import type { StreamControl } from './running-streams.ts';

/** What it reads from, writes to, and has found in the log. */
export interface Attempt {
  readonly step: StreamStep;
  readonly control: StreamControl;
  readonly provider: Provider;
  /** Its key, and who hears how it went. */
  readonly pass: AttemptPass;
  readonly input: GenerationInput;
  readonly writer: LogWriter;
  readonly record: GenerationRecord;
  readonly number: number;
  /** Output cap of this call, and of the whole generation. */
  readonly maxOutputTokens: number;
  readonly capTokens: number;
  readonly resume: Resume;
  readonly duties: ResponseDuties;
  readonly checkpoint: Checkpoint | null;
}

/** Where the attempt stands; changes as events come in. */
export interface Progress {
  cursor: ProviderCursor | null;
  /** All output of this provider response, also what an earlier process delivered of it. */
  ownText: string;
  /** What the provider has counted so far; null where it has not said anything. */
  counted: Usage | null;
  /** Whether this process has received anything from the provider. */
  received: boolean;
  /** Whether the provider may bill the call: it has left, and was not refused. */
  mayBeBilled: boolean;
}

/** What the provider has counted; where it has not counted all or anything, an estimate of the rest. */
export async function usageSoFar(
  { countTexts }: Dependencies,
  { input, duties }: Attempt,
  { counted, mayBeBilled, ownText }: Progress,
): Promise<Usage> {
  if (counted !== null && !counted.estimated) return counted;
  if (counted !== null) {
    const [outputTokens = 0] = await countTexts([ownText]);
    return { ...counted, outputTokens: Math.max(counted.outputTokens, outputTokens) };
  }
  return mayBeBilled ? estimateUsage(input, duties.sentText, ownText, countTexts) : NO_USAGE;
}

/** Usage and cost of the whole generation, with what this attempt has used. */
export function totals({ priceOf }: Dependencies, { step, record }: Attempt, usage: Usage) {
  const { provider, model } = step.candidate;
  return {
    usage: addUsage(record.usage, usage),
    costMicroUsd: record.costMicroUsd + priceOf(provider, model, usage),
  };
}
