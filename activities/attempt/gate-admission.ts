/** An attempt's way through the gate: admission, the key, how soon its first token came, and how it ended. */
import { ApplicationFailure } from '@temporalio/common';
import type { ErrorCode, UnbrokenError } from '../../contracts/errors.ts';
import type { Candidate } from '../../contracts/generation.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { totalTokens, type Usage } from '../../contracts/money.ts';
import type { StreamStep } from '../../contracts/steps.ts';
import type {
  Admission,
  CallResult,
  Departure,
  GateKey,
  GatePass,
  ProviderGate,
} from '../../engine/routing/provider-gate.ts';
import type { Dependencies } from '../dependencies.ts';
import type { Checkpoint, Resume } from './resume-plan.ts';

/**
 * Errors by which a model or its provider is ill whatever it is asked. All others are about the one request, and say
 * nothing to anybody else: what was refused, was empty, or had no credit may be answered for the next caller.
 */
const SICK: ReadonlySet<ErrorCode> = new Set([
  'provider_unavailable',
  'provider_connect_failed',
  'provider_first_token_timeout',
  'provider_stalled',
  'provider_stream_cut',
  'provider_malformed',
]);

/** Errors that another key may not have: refused, or its account has no money left for this. */
export const REFUSES_KEY: ReadonlySet<string> = new Set<ErrorCode>([
  'provider_auth',
  'provider_quota_exhausted',
]);

export interface AttemptPass {
  readonly key: GateKey;
  noteHead(headers: Headers): void;
  /** Content came. */
  noteContent(): void;
  /** The call has ended with an answer, by an error of the provider, or (null) for a reason of ours. */
  leave(ended: Ended, usage: Usage): Promise<Departure>;
}

export type Ended = 'answered' | UnbrokenError | null;

type EnteringStep = Pick<StreamStep, 'order' | 'candidate' | 'reservedTokens' | 'isLast' | 'room'>;

export function enterGate(
  { gate }: Dependencies,
  { order, candidate, reservedTokens, isLast, room }: EnteringStep,
  epoch: number,
): Promise<Admission> {
  const { provider, model } = candidate;
  const { tenant, generationId } = order;
  const call = { tenant, generationId, callId: `${generationId}:${epoch}`, provider, model };
  return gate.enter({ ...call, tokens: reservedTokens, isLast: isLast === true, room });
}

/** @returns the pass of this attempt. Throws what the gate said; that is no attempt. */
export function passOf(
  dependencies: Dependencies,
  step: StreamStep,
  admission: Admission,
  resume: Resume,
  checkpoint: Checkpoint | null,
): AttemptPass {
  if (resume.strategy === 'reattach') {
    const made = keyOfCheckpoint(dependencies, checkpoint);
    if (made !== undefined || !admission.admitted) {
      // The response lies with the key that made it. To read it again costs nothing, so the gate has no say.
      leaveUnused(admission);
      return uncounted(made ?? { id: 'configured', secret: undefined });
    }
  }
  if (!admission.admitted) throw refusalOf(step, admission);
  return counted(dependencies, step.candidate, admission.pass);
}

export interface KeysById {
  readonly gate: Pick<ProviderGate, 'keyOf'>;
}

/** The key that a running response was made with; undefined where that is not known, or the key is gone. */
export function keyOfCheckpoint({ gate }: KeysById, checkpoint: Checkpoint | null): GateKey | undefined {
  return checkpoint?.keyId === undefined ? undefined : gate.keyOf(checkpoint.provider, checkpoint.keyId);
}

/** An admission that no call was made of. */
export function leaveUnused(admission: Admission): void {
  if (!admission.admitted) return;
  const nothing = { verdict: null, key: null, firstTokenMs: null, tokensPerSecond: null, tokens: 0 };
  void admission.pass.leave(nothing);
}

function counted({ note }: Dependencies, candidate: Candidate, pass: GatePass): AttemptPass {
  const begunAtMs = performance.now();
  let firstTokenMs: number | null = null;
  return {
    key: pass.key,
    noteHead: (headers) => pass.noteHead(headers),
    noteContent() {
      if (firstTokenMs !== null) return;
      firstTokenMs = Math.max(1, performance.now() - begunAtMs);
      pass.noteFirstToken(firstTokenMs);
    },
    async leave(ended, usage) {
      const endedAfterMs = performance.now() - begunAtMs;
      const streamedMs = firstTokenMs === null ? 0 : endedAfterMs - firstTokenMs;
      const tokensPerSecond = streamedMs > 0 ? (outputOf(usage) / streamedMs) * 1_000 : null;
      const isSilent = ended instanceof Error && ended.code === 'provider_first_token_timeout';
      const departure = await pass.leave({
        ...resultOf(ended),
        firstTokenMs,
        tokensPerSecond,
        tokens: totalTokens(usage),
        inputTokens: usage.inputTokens + usage.cachedInputTokens + usage.cacheWriteTokens,
        silentMs: isSilent ? endedAfterMs : undefined,
      });
      const { provider, model } = candidate;
      if (departure.circuit !== null) note({ what: `circuit-${departure.circuit}`, provider, model });
      if (ended instanceof Error && ended.refusal?.concerns === 'key') {
        note({ what: 'key-refused', provider, keyId: pass.key.id });
      }
      return departure;
    },
  };
}

export function outputOf({ outputTokens, reasoningTokens }: Usage): number {
  return outputTokens + reasoningTokens;
}

function resultOf(ended: Ended): Pick<CallResult, 'verdict' | 'key'> {
  if (ended === null) return { verdict: null, key: null };
  if (ended === 'answered') return { verdict: 'answered', key: null };
  const { code, refusal, retryAfterMs } = ended;
  const status = refusal?.status ?? 0;
  if (code === 'provider_rate_limited') {
    return { verdict: null, key: { verdict: 'limited', status, restMs: retryAfterMs ?? 0 } };
  }
  if (REFUSES_KEY.has(code)) {
    const verdict = refusal?.concerns === 'key' ? 'refused' : 'declined';
    return { verdict: null, key: { verdict, status, restMs: 0 } };
  }
  return { verdict: SICK.has(code) ? 'failed' : null, key: null };
}

function uncounted(key: GateKey): AttemptPass {
  return {
    key,
    noteHead: () => undefined,
    noteContent: () => undefined,
    leave: async (ended) => ({
      circuit: null,
      restMs: ended instanceof Error ? (ended.retryAfterMs ?? 0) : 0,
    }),
  };
}

function refusalOf(
  { candidate: { provider, model }, order }: StreamStep,
  { because, waitMs, isResting }: Extract<Admission, { admitted: false }>,
): ApplicationFailure {
  const soon = `${Math.max(1, Math.ceil(waitMs / 1_000))} s`;
  if (isResting === true && isTooLongARest(waitMs, order)) return askedToWait(`${provider}/${model}`, waitMs);
  const said: Readonly<Record<typeof because, readonly [ErrorCode, string]>> = {
    full: ['provider_full', `Every key of ${provider} is at its limit; there is room in about ${soon}.`],
    open: ['provider_circuit_open', `${provider}/${model} fails too often; it is tried again in ${soon}.`],
    refused: ['provider_auth', `${provider} refused every key; they are tried again in about ${soon}.`],
  };
  const [type, message] = said[because];
  return ApplicationFailure.create({ message, type, nonRetryable: true, details: [waitMs] });
}

/** Whether the caller is better served by the provider's word than by a silence of this length. */
function isTooLongARest(restMs: number, { routing }: StreamStep['order']): boolean {
  return restMs > LIMITS.retryAfterMs && routing?.whenFull !== 'wait';
}

/** The provider wants to be left alone for longer than a caller is kept waiting. */
export function askedToWait(model: string, restMs: number): ApplicationFailure {
  const message = `${model} asks to be left alone for ${Math.ceil(restMs / 1_000)} s.`;
  const details = [{ retryAtMs: Date.now() + Math.ceil(restMs) }];
  return ApplicationFailure.create({ message, type: 'provider_rate_limited', nonRetryable: true, details });
}
