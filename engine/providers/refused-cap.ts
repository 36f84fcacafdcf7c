/**
 * A cap that the model cannot write, at models whose most is not known here: agents ask for as much as their own vendor
 * gives. A refusal names the most, and the same request leaves once more with it; nothing is billed for one that is
 * refused. Sources: the errors of DeepSeek, Novita, OpenAI, Groq, Volcano Engine, Ollama and Anthropic.
 */
import { badRequestWords } from './http-errors.ts';

const CAP = /\bmax_(?:completion_|output_)?tokens\b/i;
const MOST = [
  /\bvalid range of `?max_tokens`? is \[\d+, ?(\d{1,9})\]/i,
  /\bmust be between \d+ and (\d{1,9})\b/i,
  /\bsupports at most (\d{1,9}) (?:completion|output) tokens\b/i,
  /\bmust be (?:less than or equal to|at most|<=) `?(\d{1,9})\b/i,
  /\bexpected a value <= (\d{1,9})\b/i,
  /\bexceeds model's maximum output tokens \((\d{1,9})\)/i,
  /\bmax_tokens: \d+ > (\d{1,9}), which is the maximum allowed number of output tokens\b/i,
];

/** The most that a refusal of this cap names; null where it names none, or none that is lower. */
export function lowerCapIn(error: unknown, cap: number | null | undefined): number | null {
  const words = badRequestWords(error) ?? '';
  if (typeof cap !== 'number' || !CAP.test(words)) return null;
  const named = MOST.map((pattern) => pattern.exec(words)?.[1]).find((found) => found !== undefined);
  const most = Number(named ?? 0);
  return most > 0 && most < cap ? most : null;
}
