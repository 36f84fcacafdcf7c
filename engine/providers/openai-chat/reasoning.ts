/**
 * The reasoning of a chat completion. Vendors have added three fields for it: its text, its text and what only they can
 * read (OpenRouter's `reasoning_details`), and what belongs to a tool call (Google's `extra_content`).
 * Sources: DeepSeek, "Thinking mode"; OpenRouter, "Preserving reasoning"; Gemini API, "Thought signatures".
 */
import type { ProviderEvent } from '../provider.ts';
import type { ProviderSettings } from '../provider-settings.ts';
import { ReasoningItems } from '../reasoning-items.ts';

type Detail = Readonly<Record<string, unknown>>;

/** The texts of a detail, which arrive in several chunks. */
const GROWING = ['text', 'summary', 'data'] as const;

export class ChatReasoning {
  readonly #items = new ReasoningItems();
  readonly #returnsText: boolean;
  #details: Detail[] = [];
  /** Whether the vendor sends the text beside the details, too. */
  #hasText = false;

  constructor(quirks: ProviderSettings['quirks']) {
    this.#returnsText = quirks?.reasoningContent === 'tool-turns';
  }

  text(text: string): ProviderEvent {
    this.#hasText = true;
    return this.#items.text(text);
  }

  /** Shows what can be shown of them, where they come alone. */
  *details(details: unknown): Generator<ProviderEvent> {
    if (!Array.isArray(details)) return;
    for (const detail of details as readonly unknown[]) {
      if (typeof detail !== 'object' || detail === null) continue;
      const own: Detail = { ...detail };
      this.#addDetail(own);
      const text = own['text'] ?? own['summary'];
      if (!this.#hasText && typeof text === 'string' && text !== '') yield this.#items.text(text);
    }
  }

  /** Other content follows, or none: the reasoning before it is whole. */
  *close(): Generator<ProviderEvent> {
    const text = this.#items.close();
    const value = {
      ...(text === null || !this.#returnsText ? {} : { reasoning_content: text }),
      ...(this.#details.length === 0 ? {} : { reasoning_details: this.#details }),
    };
    this.#details = [];
    if (Object.keys(value).length > 0) yield this.#items.data({ wire: 'openai-chat', value });
  }

  #addDetail(detail: Detail): void {
    const last = this.#details.at(-1);
    const isSame = last !== undefined && last['type'] === detail['type'] && last['index'] === detail['index'];
    if (!isSame || detail['type'] === 'reasoning.encrypted') {
      this.#details.push(detail);
      return;
    }
    const merged: Record<string, unknown> = { ...last, ...detail };
    for (const name of GROWING) {
      if (typeof last[name] === 'string') merged[name] = `${last[name]}${detail[name] ?? ''}`;
    }
    this.#details[this.#details.length - 1] = merged;
  }
}
