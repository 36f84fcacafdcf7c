/**
 * The content blocks of a stream. In this format blocks follow each other, so only one is open. The arguments of
 * several tool calls may arrive interleaved: what belongs to a later block waits until those of the open call are
 * whole.
 */
import type { RawMessageStreamEvent } from '@anthropic-ai/sdk/resources/messages/messages';
import { UnbrokenError } from '../../../contracts/errors.ts';

type Frame = RawMessageStreamEvent;
export type BlockStart = Extract<Frame, { type: 'content_block_start' }>['content_block'];
export type BlockDelta = Extract<Frame, { type: 'content_block_delta' }>['delta'];

interface OpenBlock {
  readonly key: string;
  readonly index: number;
  /** null: the block ends where the next one begins. */
  readonly json: JsonObjectScan | null;
}

interface WaitingBlock {
  readonly key: string;
  readonly start: BlockStart;
  readonly deltas: BlockDelta[];
}

export class BlockQueue {
  readonly #closedKeys = new Set<string>();
  readonly #waiting: WaitingBlock[] = [];
  #open: OpenBlock | null = null;
  #blocks = 0;

  /**
   * Adds to the block of this key, which is created if it is new.
   * @param key the same for all of one block.
   * @returns the frames that can be sent now.
   * @throws provider_malformed if the block was closed because its arguments were whole.
   */
  write(key: string, start: BlockStart, delta: BlockDelta | null): Frame[] {
    const deltas = delta === null ? [] : [delta];
    if (this.#open?.key === key) return [...deltas.flatMap((own) => this.#send(own)), ...this.#drain()];
    const waiting = this.#waiting.find((block) => block.key === key);
    if (waiting !== undefined) waiting.deltas.push(...deltas);
    else if (!this.#closedKeys.has(key)) this.#waiting.push({ key, start, deltas });
    else if (deltas.some((own) => !isBlank(own))) {
      throw new UnbrokenError('provider_malformed', 'A tool call has arguments after its JSON object.');
    }
    return this.#drain();
  }

  /** Nothing follows: sends what still waits, and closes the last block. */
  end(): Frame[] {
    const frames: Frame[] = [];
    while (this.#waiting.length > 0) frames.push(...this.#openNext());
    return [...frames, ...this.#close()];
  }

  #drain(): Frame[] {
    const frames: Frame[] = [];
    while (this.#waiting.length > 0 && (this.#open?.json ?? null)?.isWhole !== false) {
      frames.push(...this.#openNext());
    }
    return frames;
  }

  #openNext(): Frame[] {
    const next = this.#waiting.shift();
    if (next === undefined) return [];
    const frames = this.#close();
    const index = this.#blocks;
    this.#blocks += 1;
    const json = next.start.type === 'tool_use' ? new JsonObjectScan() : null;
    this.#open = { key: next.key, index, json };
    frames.push({ type: 'content_block_start', index, content_block: next.start });
    return [...frames, ...next.deltas.flatMap((delta) => this.#send(delta))];
  }

  #send(delta: BlockDelta): Frame[] {
    if (this.#open === null) return [];
    if (delta.type === 'input_json_delta') this.#open.json?.push(delta.partial_json);
    return [{ type: 'content_block_delta', index: this.#open.index, delta }];
  }

  #close(): Frame[] {
    if (this.#open === null) return [];
    const { key, index } = this.#open;
    this.#closedKeys.add(key);
    this.#open = null;
    return [{ type: 'content_block_stop', index }];
  }
}

function isBlank(delta: BlockDelta): boolean {
  return delta.type === 'input_json_delta' && delta.partial_json.trim() === '';
}

/** Whether the characters so far are a whole JSON object. Reads each character once. */
class JsonObjectScan {
  #depth = 0;
  #hasBegun = false;
  #isInString = false;
  #isEscaped = false;

  get isWhole(): boolean {
    return this.#hasBegun && this.#depth === 0;
  }

  push(text: string): void {
    for (const character of text) {
      if (this.#isInString) this.#readInString(character);
      else if (character === '"') this.#isInString = true;
      else if (character === '{' || character === '[') {
        this.#depth += 1;
        this.#hasBegun = true;
      } else if (character === '}' || character === ']') this.#depth -= 1;
    }
  }

  #readInString(character: string): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (character === '\\') this.#isEscaped = true;
    else if (character === '"') this.#isInString = false;
  }
}
