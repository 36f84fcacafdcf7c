/** An attempt's way through the gate: admission, the key, how soon its first token came, and how it ended. */
import { ApplicationFailure } from '@temporalio/common';
import type { ErrorCode, UnbrokenError } from '../contracts/errors.ts';
import type { Candidate } from '../contracts/generation.ts';
import type { StreamStep } from '../contracts/steps.ts';
import type {
  Admission,
  CallResult,
  Departure,
  GateKey,
  GatePass,
  ProviderGate,
} from '../routing/provider-gate.ts';
import type { Dependencies } from './dependencies.ts';
import type { Checkpoint, Resume } from './resume-plan.ts';

/** Errors that say that the model or its provider is ill; all others say that it answers. */
const SICK: ReadonlySet<ErrorCode> = new Set([
  ...(['provider_unavailable', 'provider_connect_failed', 'provider_first_token_timeout'] as const),
  ...(['provider_stalled', 'provider_stream_cut', 'provider_malformed', 'provider_empty'] as const),
]);

/** Errors that another key may not have: refused, or its account has no money left. */
export const REFUSES_KEY: ReadonlySet<ErrorCode> = new Set(['provider_auth', 'provider_quota_exhausted']);

export interface AttemptPass {
  readonly key: GateKey;
  noteHead(headers: Headers): void;
  /** Content came. */
  noteContent(): void;
  /** The call has ended with an answer, by an error of the provider, or (null) for a reason of ours. */
  leave(ended: 'answered' | UnbrokenError | null, tokens: number, outputTokens: number): Promise<Departure>;
}

type EnteringStep = Pick<StreamStep, 'order' | 'candidate' | 'reservedTokens' | 'isLast' | 'room'>;

export function enterGate(
  { gate }: Dependencies,
  { order, candidate, reservedTokens, isLast, room }: EnteringStep,
  epoch: number,
): Promise<Admission> {
  const { provider, model } = candidate;
  const callId = `${order.generationId}:${epoch}`;
  return gate.enter({ provider, model, callId, tokens: reservedTokens, isLast: isLast === true, room });
}

/** @returns the pass of this attempt. Throws what the gate said; that is no attempt. */
export function passOf(
  dependencies: Dependencies,
  { candidate }: StreamStep,
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
  if (!admission.admitted) throw refusalOf(candidate, admission);
  return counted(dependencies, candidate, admission.pass);
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
    async leave(ended, tokens, outputTokens) {
      const streamedMs = firstTokenMs === null ? 0 : performance.now() - begunAtMs - firstTokenMs;
      const tokensPerSecond = streamedMs > 0 ? (outputTokens / streamedMs) * 1_000 : null;
      const departure = await pass.leave({ ...resultOf(ended), firstTokenMs, tokensPerSecond, tokens });
      const { provider, model } = candidate;
      if (departure.circuit !== null) note({ what: `circuit-${departure.circuit}`, provider, model });
      if (ended instanceof Error && REFUSES_KEY.has(ended.code)) {
        note({ what: 'key-refused', provider, keyId: pass.key.id });
      }
      return departure;
    },
  };
}

function resultOf(ended: 'answered' | UnbrokenError | null): Pick<CallResult, 'verdict' | 'key'> {
  if (ended === null) return { verdict: null, key: null };
  if (ended === 'answered') return { verdict: 'answered', key: null };
  if (ended.code === 'provider_rate_limited') {
    return { verdict: null, key: { verdict: 'limited', status: 429, restMs: ended.retryAfterMs ?? 0 } };
  }
  if (REFUSES_KEY.has(ended.code)) {
    const status = Number(/^\d{3}/.exec(ended.message)?.[0] ?? 401);
    return { verdict: null, key: { verdict: 'refused', status, restMs: 0 } };
  }
  return { verdict: SICK.has(ended.code) ? 'failed' : 'answered', key: null };
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
  { provider, model }: Candidate,
  { because, waitMs }: Extract<Admission, { admitted: false }>,
): ApplicationFailure {
  const soon = `${Math.max(1, Math.ceil(waitMs / 1_000))} s`;
  const said: Readonly<Record<typeof because, readonly [ErrorCode, string]>> = {
    full: ['provider_full', `Every key of ${provider} is at its limit; there is room in about ${soon}.`],
    open: ['provider_circuit_open', `${provider}/${model} fails too often; it is tried again in ${soon}.`],
    refused: ['provider_auth', `${provider} refused every key; they are tried again in about ${soon}.`],
  };
  const [type, message] = said[because];
  return ApplicationFailure.create({ message, type, nonRetryable: true, details: [waitMs] });
}
