/** Reads a body of JSON lines as it arrives, and holds no more than one line of it. */
import { parseJson } from '../../contracts/json.ts';
import { malformed } from './answer-state.ts';

/** @throws provider_malformed for a line that is too long or no JSON. */
export async function* readJsonLines(
  body: AsyncIterable<Uint8Array>,
  mostLineChars: number,
): AsyncGenerator<unknown> {
  const decoder = new TextDecoder();
  let held: string[] = [];
  let chars = 0;
  for await (const bytes of body) {
    const [first = '', ...others] = decoder.decode(bytes, { stream: true }).split('\n');
    held.push(first);
    chars += first.length;
    for (const next of others) {
      yield* valuesOf(held.join(''));
      held = [next];
      chars = next.length;
    }
    if (chars > mostLineChars) throw malformed(`a line of more than ${mostLineChars} characters`);
  }
  yield* valuesOf(held.join('') + decoder.decode());
}

function valuesOf(line: string): unknown[] {
  return line.trim() === '' ? [] : [parsedLine(line)];
}

function parsedLine(line: string): unknown {
  try {
    return parseJson(line);
  } catch {
    throw malformed('a line that is not JSON');
  }
}
