/**
 * The port to the gate in front of the providers. It decides whether a call may go to a model now, and with which
 * key: one round trip when a call starts, one when it has ended. All workers share what they learn. If the gate
 * itself does not answer, calls proceed without it.
 *
 * Tenants share only what has a shared cause: a refused key, a rate limit, and an outage that several of them see.
 */
import type { Candidate } from '../../contracts/generation.ts';
import type { CircuitState } from '../../contracts/routing.ts';
import type { RoomTaken } from '../../contracts/steps.ts';
import type { ModelHealth } from './route-facts.ts';

export interface GateCall extends Candidate {
  readonly tenant: string;
  /** A generation does not use a key again that has declined its request. */
  readonly generationId: string;
  /** Identifies this call: a probed circuit waits for the result of the call that probes it. */
  readonly callId: string;
  /** Input and the most output: counts against a limit until the real usage is known. */
  readonly tokens: number;
  /** Whether no other candidate is left: then a model that is only slow is called nevertheless. */
  readonly isLast: boolean;
  /**
   * Calls with the same value prefer the same key, whose account may have their prompt in its cache. Another key with
   * room is taken at once if that key has none. Absent: the key that is used least.
   */
  readonly affinity?: string | undefined;
  /** Room that this call has waited for and taken already. */
  readonly room?: RoomTaken | undefined;
}

/** A key to call with. `secret` is undefined if the provider needs none. */
export interface GateKey {
  readonly id: string;
  readonly secret: string | undefined;
}

export type Admission =
  | { readonly admitted: true; readonly pass: GatePass }
  | {
      readonly admitted: false;
      /** `refused`: the provider refuses every key. */
      readonly because: 'open' | 'full' | 'refused';
      /** Present if the gate is `full` because the provider asked for a pause for this model. */
      readonly isResting?: true;
      /** How long until a retry may succeed. */
      readonly waitMs: number;
    };

export interface CallResult {
  /** What it says about the model's health; null: nothing (cancelled, rate limited, the request was refused, ...). */
  readonly verdict: 'answered' | 'failed' | null;
  /** What it says about the key; `declined`: the key may be valid, but is of no use to this generation. */
  readonly key: {
    readonly verdict: 'limited' | 'refused' | 'declined';
    readonly status: number;
    readonly restMs: number;
  } | null;
  /** Tokens of the input: a model may take longer to read a long one. Absent: the input was short. */
  readonly inputTokens?: number;
  /** How long the provider was silent until the call was given up; absent if it was not given up for that. */
  readonly silentMs?: number | undefined;
  /** null if no token came. */
  readonly firstTokenMs: number | null;
  readonly tokensPerSecond: number | null;
  /** Tokens that were actually used; null if the call used none. */
  readonly tokens: number | null;
}

export interface Departure {
  /** What the result did to the circuit. */
  readonly circuit: 'opened' | 'closed' | null;
  /** How long the key rests for this model; 0 if it does not. */
  readonly restMs: number;
}

/** One admitted call. */
export interface GatePass {
  readonly key: GateKey;
  /** Takes the headers of the provider's answer, and shares what they say if little is left of a limit. */
  noteHead(headers: Headers): void;
  /** The call got its first token: a probe has succeeded, even if its answer takes long. */
  noteFirstToken(firstTokenMs: number): void;
  /** Ends the call, once. Never throws. */
  leave(result: CallResult): Promise<Departure>;
}

export interface RoomRefusal {
  /**
   * `full`: the call asks again. `resting`: the provider asked for a pause for this model, so the call leaves the
   * line and lets the calls behind it pass. `refused`: the provider refuses every key.
   */
  readonly because: 'full' | 'resting' | 'refused';
  readonly waitMs: number;
}

export interface ProviderGate {
  enter(call: GateCall): Promise<Admission>;
  /** Takes room for the first call in line. Rejects if the gate is unreachable. */
  takeRoom(call: Omit<GateCall, 'tenant' | 'isLast' | 'room'>): Promise<RoomTaken | RoomRefusal>;
  /** The key of this id, for calls that must be made with it; undefined if it was removed. */
  keyOf(provider: string, keyId: string): GateKey | undefined;
  keyCount(provider: string): number;
}

export type GateNotice =
  | { readonly what: 'circuit-opened' | 'circuit-closed'; readonly provider: string; readonly model: string }
  | { readonly what: 'key-refused'; readonly provider: string; readonly keyId: string };

export interface KeyReport {
  readonly id: string;
  readonly state: 'ready' | 'resting' | 'refused';
  /** When it is used again, ms since 1970; null if it is ready. */
  readonly untilMs: number | null;
  /** The status by which the provider refused it. */
  readonly refusedBy: number | null;
  /** In the window that ends now. */
  readonly usedRequests: number;
  readonly usedTokens: number;
  readonly limitRequests: number | null;
  readonly limitTokens: number | null;
  readonly windowMs: number;
}

export interface ModelReport extends ModelHealth {
  readonly model: string;
  readonly circuit: CircuitState;
  /** Why the circuit opened. */
  readonly because: 'errors' | 'slow' | null;
  readonly sinceMs: number | null;
  /** In the window of the circuit breaker. */
  readonly calls: number;
  readonly badCalls: number;
}

export interface ProviderReport {
  readonly provider: string;
  readonly keys: readonly KeyReport[];
  readonly models: readonly ModelReport[];
}

/** Reads the gate as one tenant sees it, for the choice of a route and for people. */
export interface GateReader {
  /**
   * Reports the models of the config's routes, and those that the tenant has called lately.
   * @param tenant absent: what all tenants share.
   */
  report(provider: string, tenant?: string): Promise<ProviderReport>;
}
