/**
 * What the simulated model says. The text depends only on the conversation, so that a test knows, without asking,
 * what every reader must have got. A directive in the prompt, `[[sim tokens=400 delay_ms=10 first_ms=50]]`, sets
 * its length and pace.
 */
import { createHash } from 'node:crypto';

export interface SimulatedMessage {
  readonly role: string;
  readonly content: string;
}

export interface Conversation {
  readonly system?: string | undefined;
  readonly messages: readonly SimulatedMessage[];
}

export interface TrueText {
  readonly text: string;
  readonly tokens: readonly string[];
  readonly delayMs: number;
  readonly firstMs: number;
}

const WORDS = (
  'the a one this each river stone light wind hand water night road house voice garden letter window mountain ' +
  'morning silence number answer question token stream reader writer slow quick old new small long deep bright is ' +
  'was has goes comes holds keeps finds makes turns runs stays under over after before between without because ' +
  'when where while until also again never always café naïve Zürich 東京 données überall señal 🌊 42 1999'
).split(' ');
const MARKS = [',', ',', '.', '.', '.', ';', ':', '!', '?', '…'];
const DEFAULT_TOKENS = 120;
const MAX_TOKENS = 1_000_000;
const DEFAULT_DELAY_MS = 5;

/** @param salt another salt is another answer to the same conversation. */
export function trueText(conversation: Conversation, salt = ''): TrueText {
  const plan = readDirective(conversation);
  const random = seeded(`${conversationKey(conversation)}${salt}`);
  const pick = (from: readonly string[]) => from[Math.floor(random() * from.length)] ?? '';
  const tokens: string[] = [];
  let startsLine = true;
  for (let index = 0; index < plan.tokens - 1; index += 1) {
    const chance = random();
    if (!startsLine && chance < 0.1) tokens.push(pick(MARKS));
    else if (!startsLine && chance < 0.13) {
      tokens.push(chance < 0.12 ? '\n' : '\n\n');
      startsLine = true;
      continue;
    } else tokens.push(`${startsLine ? '' : ' '}${pick(WORDS)}`);
    startsLine = false;
  }
  tokens.push('.');
  return { text: tokens.join(''), tokens, delayMs: plan.delayMs, firstMs: plan.firstMs };
}

/** SHA-256 (hex) of the conversation: the same for every continuation of one answer. */
export function conversationKey({ system, messages }: Conversation): string {
  const turns = messages.map(({ role, content }) => [role, content]);
  return createHash('sha256')
    .update(JSON.stringify([system ?? '', turns]))
    .digest('hex');
}

/** As many as a model would count, about: a quarter of the characters, and four for each turn. */
export function countInputTokens({ system, messages }: Conversation): number {
  const turns = system === undefined ? messages : [{ role: 'system', content: system }, ...messages];
  return turns.reduce((sum, { content }) => sum + Math.ceil(content.length / 4) + 4, 0);
}

function readDirective({ system, messages }: Conversation) {
  const prompts = [system ?? '', ...messages.map(({ content }) => content)].join('\n');
  const directive = [...prompts.matchAll(/\[\[sim ([^\]]*)\]\]/g)].at(-1)?.[1] ?? '';
  const read = (name: string, fallback: number) => {
    const value = new RegExp(`\\b${name}=(\\d+(?:\\.\\d+)?)`).exec(directive)?.[1];
    return value === undefined ? fallback : Number(value);
  };
  const tokens = Math.min(MAX_TOKENS, Math.max(1, Math.floor(read('tokens', DEFAULT_TOKENS))));
  return { tokens, delayMs: read('delay_ms', DEFAULT_DELAY_MS), firstMs: read('first_ms', 0) };
}

/** Mulberry32, seeded by a hash of the name. */
function seeded(name: string): () => number {
  let state = createHash('sha256').update(name).digest().readUInt32LE(0);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
