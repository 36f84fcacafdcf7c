/** The text of one message of a response after another. Of a message that must be JSON, only the JSON is passed on. */
import { JsonText } from './json-text.ts';

/** What the vendor says a message is for, where it is the answer; without a phase it is, too. */
const ANSWER_PHASE = 'final_answer';

export class MessageText {
  readonly #isJson: boolean;
  /** null: all text is passed on as it is. */
  #json: JsonText | null;
  #text: string;

  /** @param delivered what an earlier process passed on of this message. */
  constructor(isJson: boolean, delivered: string) {
    this.#isJson = isJson;
    this.#json = isJson ? new JsonText() : null;
    this.#json?.push(delivered);
    this.#text = delivered;
  }

  /** What was passed on of the message. */
  get text(): string {
    return this.#text;
  }

  /** @returns what is passed on now. */
  push(text: string): string {
    return this.#pass(this.#json === null ? text : this.#json.push(text));
  }

  /** The message has ended. @returns what is left of it to pass on. */
  finish(): string {
    return this.#pass(this.#json?.finish() ?? '');
  }

  /** Another message begins. */
  begin(phase: string | undefined): void {
    this.#json = this.#isJson && (phase === undefined || phase === ANSWER_PHASE) ? new JsonText() : null;
    this.#text = '';
  }

  #pass(text: string): string {
    // Kept for the check alone: another answer is not held in memory twice.
    if (this.#isJson) this.#text += text;
    return text;
  }
}
