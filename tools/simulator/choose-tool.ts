/** Which tool the simulated model calls: the forced one, the one of the directive, or one that the question names. */
import { type SimulatedInput, type SimulatedTool, turnsOf } from './conversation.ts';
import { type Directive, withoutDirectives } from './directive.ts';

/** Words in the names of tools that say nothing about their subject. */
const VERBS = new Set(
  'get set find list search fetch read look lookup make create update delete run call check show send query tool current'.split(
    ' ',
  ),
);
const LEAST_CHARS = 4;

/** @returns null where no tool is to be called, as once its result is there. */
export function chooseTool(input: SimulatedInput, directive: Directive): SimulatedTool | null {
  const { tools, toolChoice, messages } = input;
  if (tools === undefined || toolChoice === 'none') return null;
  const last = turnsOf(messages).at(-1);
  if (last === undefined || last.toolResults.length > 0) return null;
  const choice = typeof toolChoice === 'object' ? toolChoice : { mode: toolChoice };
  const wanted = 'name' in choice ? choice.name : directive.word('tool');
  const allowed = 'allowed' in choice ? tools.filter(({ name }) => choice.allowed.includes(name)) : tools;
  if (wanted !== undefined) return allowed.find(({ name }) => name === wanted) ?? null;
  if ('mode' in choice && choice.mode === 'required') return allowed[0] ?? null;
  if (last.role !== 'user') return null;
  const text = last.others
    .map((part) => (part.type === 'text' ? withoutDirectives(part.text) : ''))
    .join(' ');
  const words = new Set(text.toLowerCase().match(/\p{L}+/gu) ?? []);
  return allowed.find(({ name }) => isNamed(name, words)) ?? null;
}

/** `get_weather`, `getWeather` and `weather-report` are named by a question with the word "weather". */
function isNamed(tool: string, words: ReadonlySet<string>): boolean {
  return tool
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}]+/u)
    .some(
      (word) => word.length >= LEAST_CHARS && !VERBS.has(word) && (words.has(word) || words.has(`${word}s`)),
    );
}
