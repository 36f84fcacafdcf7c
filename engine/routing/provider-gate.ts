/**
 * The port to the gate before the providers: whether a call may go to a model now, and with which key. One round trip
 * when a call begins, one when it has ended. All workers share what they learn. Where the gate itself does not
 * answer, calls go on without it.
 *
 * Tenants share only what has a shared cause: a rejected key, a rate limit, and an outage that several of them see.
 */
import type { Candidate } from '../../contracts/generation.ts';
import type { CircuitState } from '../../contracts/routing.ts';
import type { RoomTaken } from '../../contracts/steps.ts';
import type { ModelHealth } from './route-facts.ts';

export interface GateCall extends Candidate {
  readonly tenant: string;
  /** A key that has declined what this generation asks is not asked by it again. */
  readonly generationId: string;
  /** Names this call: a circuit that is tried waits for the result of this very call. */
  readonly callId: string;
  /** Input and the most output: what counts against a limit until the real usage is known. */
  readonly tokens: number;
  /** Whether there is nobody else to ask: then a model that is only slow is asked all the same. */
  readonly isLast: boolean;
  /** What was waited for: its room is taken already. */
  readonly room?: RoomTaken | undefined;
}

/** A key to call with. `secret` is undefined where the provider needs none. */
export interface GateKey {
  readonly id: string;
  readonly secret: string | undefined;
}

export type Admission =
  | { readonly admitted: true; readonly pass: GatePass }
  | {
      readonly admitted: false;
      /** `refused`: the provider rejects every key. */
      readonly because: 'open' | 'full' | 'refused';
      /** Present where `full` means that the provider asked to leave this model alone. */
      readonly isResting?: true;
      /** How long until it may be worth another look. */
      readonly waitMs: number;
    };

export interface CallResult {
  /** What it says of the model's health; null: nothing (cancelled, rate limited, refused for what was asked, ...). */
  readonly verdict: 'answered' | 'failed' | null;
  /** What it says of the key; `declined`: the key may be good, but is of no use to this generation. */
  readonly key: {
    readonly verdict: 'limited' | 'refused' | 'declined';
    readonly status: number;
    readonly restMs: number;
  } | null;
  /** Tokens of the input: a model may take longer to read a long one. Absent: it was short. */
  readonly inputTokens?: number;
  /** How long the provider kept silent until the call was given up; absent where that was not the reason. */
  readonly silentMs?: number | undefined;
  /** null where no token came. */
  readonly firstTokenMs: number | null;
  readonly tokensPerSecond: number | null;
  /** Tokens that were really used; null where the call used none. */
  readonly tokens: number | null;
}

export interface Departure {
  /** What the result did to the circuit. */
  readonly circuit: 'opened' | 'closed' | null;
  /** How long the key rests for this model; 0 where it does not. */
  readonly restMs: number;
}

/** One admitted call. */
export interface GatePass {
  readonly key: GateKey;
  /** Whether this call is the one that tries a model whose circuit was open. */
  readonly isProbe: boolean;
  /** Hears the head of the provider's answer; tells the others only when little is left. */
  noteHead(headers: Headers): void;
  /** The call got its first token: a probe has succeeded, however long its answer goes on. */
  noteFirstToken(firstTokenMs: number): void;
  /** Ends the call, once. Never throws. */
  leave(result: CallResult): Promise<Departure>;
}

export interface ProviderGate {
  enter(call: GateCall): Promise<Admission>;
  /**
   * The first in line asks for room, which is then taken. `full`: it asks again. `resting`: the provider asked to leave
   * this model alone, so it must not hold up those behind it. Rejects where the gate is away.
   */
  takeRoom(
    call: Omit<GateCall, 'tenant' | 'isLast' | 'room'>,
  ): Promise<RoomTaken | { readonly because: 'full' | 'resting' | 'refused'; readonly waitMs: number }>;
  /** The key of this id, for calls that must be made with it; undefined where it is gone. */
  keyOf(provider: string, keyId: string): GateKey | undefined;
  keyCount(provider: string): number;
}

export type GateNotice =
  | { readonly what: 'circuit-opened' | 'circuit-closed'; readonly provider: string; readonly model: string }
  | { readonly what: 'key-refused'; readonly provider: string; readonly keyId: string };

export interface KeyReport {
  readonly id: string;
  readonly state: 'ready' | 'resting' | 'refused';
  /** When it is used again, ms since 1970; null where it is ready. */
  readonly untilMs: number | null;
  /** The status by which the provider refused it. */
  readonly refusedBy: number | null;
  /** In the window that lies behind. */
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
   * Models of the config's routes, and those that the tenant has asked lately.
   * @param tenant absent: what all tenants share.
   */
  report(provider: string, tenant?: string): Promise<ProviderReport>;
}
