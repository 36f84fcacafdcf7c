/**
 * The conversations of this browser. A turn names the generation that answers it, so a reload finds a running answer
 * again; its text stays here after the server has deleted its log. A turn is stored before it is sent, with the key of
 * its request: a reload in between sends the same request again, and joins the same generation.
 */
import { signal } from '@preact/signals';
import type { Answer, ToolCall } from '../../generation-state.ts';
import { session, sessionStore } from '../../session.ts';

export interface ToolResult {
  readonly id: string;
  readonly content: string;
}

export interface Attempt {
  readonly idempotencyKey: string;
  /** The answer, cut at its length limit, that this one continues; it begins with that text. */
  readonly continues?: string;
  /** null until the API has accepted it. */
  readonly generationId: string | null;
  /** What it has become; null while it runs. */
  readonly answer: Answer | null;
}

export interface Turn {
  readonly question: string;
  /** The results of the tools that the answer before has called. */
  readonly results: readonly ToolResult[];
  /** The newest is the last; the one that is shown is part of the conversation. */
  readonly attempts: readonly Attempt[];
  readonly shown: number;
}

export interface Settings {
  /** `route:default` or `model:provider/model`. */
  readonly target: string;
  readonly system: string;
  readonly maxOutputTokens: number | null;
  readonly reasoning: 'off' | 'low' | 'medium' | 'high';
  readonly cache: boolean;
  /** A JSON list of tools, as the person wrote it. */
  readonly tools: string;
}

export interface Conversation {
  readonly id: string;
  readonly title: string;
  readonly updatedAtMs: number;
  readonly settings: Settings;
  readonly turns: readonly Turn[];
}

export const DEFAULT_SETTINGS: Settings = {
  target: 'route:default',
  system: '',
  maxOutputTokens: null,
  reasoning: 'off',
  cache: false,
  tools: '',
};

const MAX_CONVERSATIONS = 100;
const TITLE_CHARS = 60;

/** Changes whenever a conversation does. */
const version = signal(0);
// Another tab of this browser has changed one.
addEventListener('storage', () => {
  version.value += 1;
});

/** Set if the browser has no room: what is shown is then not kept. */
export const isStorageFull = signal(false);

function prefix(): string {
  const { tenant = '', user = '' } = session.value ?? {};
  return `unbroken-chat:${tenant}:${user}:`;
}

export function listConversations(): readonly Conversation[] {
  version.value;
  return names()
    .map((name) => parse(sessionStore().getItem(name)))
    .filter((conversation) => conversation !== null)
    .filter(({ turns }) => turns.length > 0)
    .sort((a, b) => b.updatedAtMs - a.updatedAtMs);
}

export function findConversation(id: string): Conversation | null {
  version.value;
  return parse(sessionStore().getItem(prefix() + id));
}

export function newConversation(id: string, settings: Settings): Conversation {
  return { id, title: 'New chat', updatedAtMs: Date.now(), settings, turns: [] };
}

/** Stores it; the oldest conversations make room. */
export function saveConversation(conversation: Conversation): void {
  const [first] = conversation.turns;
  const title = first === undefined ? conversation.title : titleOf(first.question);
  const stored = JSON.stringify({ ...conversation, title, updatedAtMs: Date.now() });
  const others = listConversations().filter(({ id }) => id !== conversation.id);
  for (const { id } of others.slice(MAX_CONVERSATIONS - 1)) remove(id);
  const oldestFirst = others.slice(0, MAX_CONVERSATIONS - 1).reverse();
  isStorageFull.value = !write(conversation.id, stored, oldestFirst);
  version.value += 1;
}

export function deleteConversation(id: string): void {
  remove(id);
  version.value += 1;
}

/** Changes one attempt of one turn, unless the conversation was deleted meanwhile. */
export function updateAttempt(
  conversationId: string,
  idempotencyKey: string,
  change: Partial<Pick<Attempt, 'generationId' | 'answer'>>,
): void {
  const conversation = findConversation(conversationId);
  if (conversation === null) return;
  const turns = conversation.turns.map((turn) => ({
    ...turn,
    attempts: turn.attempts.map((attempt) =>
      attempt.idempotencyKey === idempotencyKey ? { ...attempt, ...change } : attempt,
    ),
  }));
  saveConversation({ ...conversation, turns });
}

export function shownAttempt({ attempts, shown }: Turn): Attempt | undefined {
  return attempts[Math.min(shown, attempts.length - 1)];
}

/** The tool calls of the last answer, which wait for results. */
export function openCalls({ turns }: Conversation): readonly ToolCall[] {
  const last = turns.at(-1);
  const answer = last === undefined ? null : (shownAttempt(last)?.answer ?? null);
  return answer?.finishReason === 'tool-calls' ? answer.toolCalls : [];
}

export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function names(): string[] {
  const start = prefix();
  return Object.keys(sessionStore()).filter((name) => name.startsWith(start));
}

function write(id: string, stored: string, oldestFirst: readonly Conversation[]): boolean {
  const rest = [...oldestFirst];
  for (;;) {
    try {
      sessionStore().setItem(prefix() + id, stored);
      return true;
    } catch {
      // The only error here is that the quota is used up.
      const oldest = rest.shift();
      if (oldest === undefined) return false;
      remove(oldest.id);
    }
  }
}

function remove(id: string): void {
  sessionStore().removeItem(prefix() + id);
}

function titleOf(question: string): string {
  const line = question.trim().split('\n')[0] ?? '';
  return line.length <= TITLE_CHARS ? line : `${line.slice(0, TITLE_CHARS)}…`;
}

/** What this page wrote. Of an entry that another version wrote in another shape, only the id is asked for. */
function parse(stored: string | null): Conversation | null {
  if (stored === null) return null;
  try {
    const conversation = JSON.parse(stored) as Conversation;
    return Array.isArray(conversation.turns) ? conversation : null;
  } catch {
    return null;
  }
}
