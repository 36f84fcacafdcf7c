/** An attempt at the gate of its provider: admission, the key, and reports of how the call went. */
import type { ApplicationFailure } from '@temporalio/common';
import { candidateName } from '../../contracts/candidate.ts';
import type { ErrorCode, UnbrokenError } from '../../contracts/errors.ts';
import type { Candidate } from '../../contracts/generation.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { inputTokensOf, outputTokensOf, totalTokens, type Usage } from '../../contracts/money.ts';
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
import { askedToWait, permanent } from '../failures.ts';
import type { Checkpoint, Resume } from './resume-plan.ts';

/**
 * Errors that show a sick model or provider, whatever the request. All others concern one request or one account: the
 * next caller may get an answer, so the circuit does not count them.
 */
const SICK: ReadonlySet<ErrorCode> = new Set([
  'provider_unavailable',
  'provider_connect_failed',
  'provider_first_token_timeout',
  'provider_stalled',
  'provider_stream_cut',
  'provider_malformed',
]);

/** Errors that another key may not have: the key is refused, or its account has no money or quota left. */
export const REFUSES_KEY: ReadonlySet<string> = new Set<ErrorCode>([
  'provider_auth',
  'provider_quota_exhausted',
]);

/**
 * The longest that a key rests for a model. The reset of a limit can be days away, and that of another limit than the
 * one that is used up; an account can also be topped up. One call in this time finds out.
 */
const LONGEST_REST_MS = 3_600_000;

/** How a call ended: with an answer, by an error of the provider, or (null) for a reason of ours. */
type CallEnd = 'answered' | UnbrokenError | null;

export interface AttemptPass {
  readonly key: GateKey;
  noteHead(headers: Headers): void;
  /** Content has arrived. */
  noteContent(): void;
  leave(end: CallEnd, usage: Usage): Promise<Departure>;
}

type EnteringStep = Pick<StreamStep, 'order' | 'candidate' | 'reservedTokens' | 'isLast' | 'room'>;

export function enterGate(
  { gate }: Dependencies,
  { order, candidate, reservedTokens, isLast, room }: EnteringStep,
  epoch: number,
): Promise<Admission> {
  const { provider, model } = candidate;
  const { tenant, generationId, promptCacheKey: affinity } = order;
  const call = { tenant, affinity, generationId, callId: `${generationId}:${epoch}`, provider, model };
  return gate.enter({ ...call, tokens: reservedTokens, isLast: isLast === true, room });
}

interface AttemptAdmission {
  readonly step: StreamStep;
  readonly admission: Admission;
  readonly resume: Resume;
  readonly checkpoint: Checkpoint | null;
}

/** @returns the pass of this attempt. Throws what the gate said if it refused; then there is no attempt. */
export function admitAttempt(
  dependencies: Dependencies,
  { step, admission, resume, checkpoint }: AttemptAdmission,
): AttemptPass {
  if (resume.strategy === 'reattach') {
    const key = keyOfCheckpoint(dependencies, checkpoint);
    if (key !== undefined || !admission.admitted) {
      // Only the key that began the response can read it. Reading costs nothing, so the gate has no say.
      leaveUnused(admission);
      return new UncountedPass(key ?? { id: 'configured', secret: undefined });
    }
  }
  if (!admission.admitted) throw admissionRefused(step, admission);
  return new CountedPass(dependencies, step.candidate, admission.pass);
}

export interface KeysById {
  readonly gate: Pick<ProviderGate, 'keyOf'>;
}

/** The key of a running response; undefined if it is not known, or no longer configured. */
export function keyOfCheckpoint({ gate }: KeysById, checkpoint: Checkpoint | null): GateKey | undefined {
  return checkpoint?.keyId === undefined ? undefined : gate.keyOf(checkpoint.provider, checkpoint.keyId);
}

/** Returns an admission that no call was made with. */
export function leaveUnused(admission: Admission): void {
  if (!admission.admitted) return;
  const nothing = { verdict: null, key: null, firstTokenMs: null, tokensPerSecond: null, tokens: 0 };
  void admission.pass.leave(nothing);
}

class CountedPass implements AttemptPass {
  readonly key: GateKey;
  readonly #note: Dependencies['note'];
  readonly #candidate: Candidate;
  readonly #pass: GatePass;
  readonly #begunAtMs = performance.now();
  #firstTokenMs: number | null = null;

  constructor({ note }: Dependencies, candidate: Candidate, pass: GatePass) {
    this.key = pass.key;
    this.#note = note;
    this.#candidate = candidate;
    this.#pass = pass;
  }

  noteHead(headers: Headers): void {
    this.#pass.noteHead(headers);
  }

  noteContent(): void {
    if (this.#firstTokenMs !== null) return;
    this.#firstTokenMs = Math.max(1, performance.now() - this.#begunAtMs);
    this.#pass.noteFirstToken(this.#firstTokenMs);
  }

  async leave(end: CallEnd, usage: Usage): Promise<Departure> {
    const firstTokenMs = this.#firstTokenMs;
    const endedAfterMs = performance.now() - this.#begunAtMs;
    const streamedMs = firstTokenMs === null ? 0 : endedAfterMs - firstTokenMs;
    const isSilent = end instanceof Error && end.code === 'provider_first_token_timeout';
    const departure = await this.#pass.leave({
      ...verdictsOf(end),
      firstTokenMs,
      tokensPerSecond: streamedMs > 0 ? (outputTokensOf(usage) / streamedMs) * 1_000 : null,
      tokens: totalTokens(usage),
      inputTokens: inputTokensOf(usage),
      silentMs: isSilent ? endedAfterMs : undefined,
    });
    const { provider, model } = this.#candidate;
    if (departure.circuit !== null) this.#note({ what: `circuit-${departure.circuit}`, provider, model });
    if (end instanceof Error && end.refusal?.concerns === 'key') {
      this.#note({ what: 'key-refused', provider, keyId: this.key.id });
    }
    return departure;
  }
}

/** The pass of a reattached response: reading it is no call, so the gate counts nothing. */
class UncountedPass implements AttemptPass {
  readonly key: GateKey;

  constructor(key: GateKey) {
    this.key = key;
  }

  noteHead(): void {
    // The rate limit headers were counted with the call.
  }

  noteContent(): void {
    // The time to the first token was measured with the call.
  }

  async leave(end: CallEnd): Promise<Departure> {
    return { circuit: null, restMs: end instanceof Error ? (end.retryAfterMs ?? 0) : 0 };
  }
}

function verdictsOf(end: CallEnd): Pick<CallResult, 'verdict' | 'key'> {
  if (end === null) return { verdict: null, key: null };
  if (end === 'answered') return { verdict: 'answered', key: null };
  const { code, refusal, retryAfterMs } = end;
  const status = refusal?.status ?? 0;
  if (code === 'provider_rate_limited') {
    return {
      verdict: null,
      key: { verdict: 'limited', status, restMs: Math.min(retryAfterMs ?? 0, LONGEST_REST_MS) },
    };
  }
  if (REFUSES_KEY.has(code)) {
    const verdict = refusal?.concerns === 'key' ? 'refused' : 'declined';
    return { verdict: null, key: { verdict, status, restMs: 0 } };
  }
  // The model's own words for this request, not the provider's health.
  const isOfRequest = code === 'provider_malformed' && refusal?.concerns === 'request';
  return { verdict: SICK.has(code) && !isOfRequest ? 'failed' : null, key: null };
}

function admissionRefused(
  { candidate, order }: StreamStep,
  { because, waitMs, isResting }: Extract<Admission, { admitted: false }>,
): ApplicationFailure {
  const { provider } = candidate;
  const name = candidateName(candidate);
  if (isResting === true && isTooLongARest(waitMs, order)) return askedToWait(name, waitMs);
  const soon = `${Math.max(1, Math.ceil(waitMs / 1_000))} s`;
  const reasons: Readonly<Record<typeof because, readonly [ErrorCode, string]>> = {
    full: ['provider_full', `Every key of ${provider} is at its limit; there is room in about ${soon}.`],
    open: ['provider_circuit_open', `${name} fails too often; it is tried again in ${soon}.`],
    refused: ['provider_auth', `${provider} refused every key; they are tried again in about ${soon}.`],
  };
  const [code, message] = reasons[because];
  return permanent(code, message, { waitMs });
}

/** True if the caller is better served by the provider's error than by silence for this long. */
function isTooLongARest(restMs: number, { routing }: StreamStep['order']): boolean {
  return restMs > LIMITS.retryAfterMs && routing?.whenFull !== 'wait';
}
