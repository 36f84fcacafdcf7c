/** What an agent or framework is tried in, and what it reports. */
import type { Packages } from './install.ts';

export const AGENT_BEHAVIOURS = [
  'plain',
  'streaming',
  'tool round trip',
  'second turn',
  'dropped connection',
] as const;
export type AgentBehaviour = (typeof AGENT_BEHAVIOURS)[number];

export type AgentWire = 'chat' | 'responses' | 'messages';

/** The questions of one client. Each has its own mark, by which the upstream's record is searched. */
export interface Questions {
  readonly plain: string;
  readonly streaming: string;
  readonly tool: string;
  readonly first: string;
  readonly second: string;
  readonly dropped: string;
}

export interface AgentPlan {
  /** Without /v1. */
  readonly url: string;
  /** The same, through a wire that breaks once while `questions.dropped` is being answered. */
  readonly cutUrl: string;
  readonly key: string;
  readonly wire: AgentWire;
  readonly model: string;
  readonly questions: Questions;
  /** What the tool says; the upstream must receive it. */
  readonly secret: string;
  /** A file that holds the secret, for agents that read files. */
  readonly secretFile: string;
}

/** What a client showed its user. */
export type Shown =
  | {
      readonly answers: readonly string[];
      /** How many pieces the answer came in. */
      readonly chunks?: number;
    }
  | { readonly error: string };

/** A behaviour that is missing is one that the client does not have. */
export type ShownBy = Partial<Record<AgentBehaviour, Shown>>;

export interface Agent {
  readonly name: string;
  readonly wires: readonly AgentWire[];
  readonly packages: Packages;
  /** The simulated model behind the same format if absent. */
  readonly model?: string;
  /** The call of a tool that the question of the round trip asks the simulated model for. */
  toolCall(plan: Pick<AgentPlan, 'secretFile'>): { readonly name: string; readonly arguments: object };
  /** How the wire breaks: before the answer's first byte, or after so many bytes of it. */
  readonly cut: 'while-it-waits' | { readonly afterBytes: number };
  /** @param folder where its packages are. */
  run(plan: AgentPlan, folder: string): Promise<ShownBy>;
}
