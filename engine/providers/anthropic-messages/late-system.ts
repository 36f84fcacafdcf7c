/**
 * System messages in the middle of a conversation. A newer Claude takes one where it stands, so what comes before it
 * stays in the vendor's cache; the vendor refuses other places, and older models refuse the role. Claude Code sends one
 * with nearly every request, whatever the model. Source: Anthropic, "Mid-conversation system messages".
 */
import type { Message } from '../../../contracts/content.ts';
import { claudeVersion } from '../../models/model-families.ts';

const FORMAT = 'anthropic-messages';

interface PlacedConversation {
  /** The turns in their order; a list is what one system message says. */
  readonly turns: readonly (Message | readonly Message[])[];
  /** What the vendor does not take where it stands. */
  readonly moved: readonly Message[];
}

/**
 * The first with them is Opus 4.8. What is said of Sonnet 5 and of Bedrock, whose names have the prefix, differs; what
 * might be refused is sent in the place that all models take.
 */
function takesLateSystem(model: string): boolean {
  const isUnclear = /sonnet-5(?![-.]\d(?!\d))|(?:^|\.)anthropic\./.test(model);
  return (claudeVersion(model) ?? 0) >= 48 && !isUnclear;
}

/** Where the model takes one at all, a system message of this format stays where its client put it. */
export function placeLateSystem(messages: readonly Message[], model: string): PlacedConversation {
  const turns: (Message | readonly Message[])[] = [];
  const moved: Message[] = [];
  let run: Message[] = [];
  const isSupported = takesLateSystem(model);
  const place = (next: Message | undefined) => {
    const before = turns.at(-1);
    const isAfterUser = before !== undefined && 'role' in before && before.role === 'user';
    const isBeforeAnswer = next === undefined || next.role === 'assistant';
    if (run.length > 0 && isSupported && isAfterUser && isBeforeAnswer) turns.push(run);
    else moved.push(...run);
    run = [];
  };
  for (const message of messages) {
    if (isSystem(message) && !(isSupported && isOfFormat(message))) {
      run.push(message);
      continue;
    }
    place(message);
    turns.push(message);
  }
  place(undefined);
  return { turns, moved };
}

function isSystem({ role }: Message): boolean {
  return role === 'system' || role === 'developer';
}

function isOfFormat({ native }: Message): boolean {
  return native?.format === FORMAT;
}
