/**
 * The port to stored conversations. A conversation is a list of items in the order of its turns. A turn is reserved
 * before its generation starts, and its items take that place once the generation has ended: from the log, so that a
 * crash at any moment loses or repeats none of them.
 */

interface ConversationOwner {
  readonly tenant: string;
  readonly user: string;
}

export interface ConversationHead extends ConversationOwner {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly createdAtMs: number;
  readonly metadata: Readonly<Record<string, string>>;
  /** The generation whose turn is reserved and not settled; null for none. */
  readonly pending: PendingTurn | null;
  /** What its items were counted as. */
  readonly bytes: number;
  /** The hour since 1970 that the bytes are counted for. */
  readonly untilHour: number;
}

interface PendingTurn {
  readonly generationId: string;
  readonly reservedAtMs: number;
}

/** An item as a client of the Responses format sees it. */
export interface ConversationItem {
  readonly id: string;
  readonly type: string;
  readonly [field: string]: unknown;
}

export interface NewConversation extends ConversationOwner {
  readonly id: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly untilHour: number;
}

export type AppendOutcome = 'appended' | 'full' | 'missing';
/** `locked`: another turn is reserved. `known`: the turn of this generation was reserved before. */
export type ReserveOutcome = 'reserved' | 'known' | 'locked' | 'missing';

export interface ConversationStore {
  create(conversation: NewConversation, items: readonly ConversationItem[]): Promise<AppendOutcome>;
  head(id: string): Promise<ConversationHead | null>;
  /** The ids of the items, oldest first. */
  itemIds(id: string): Promise<readonly ItemPlace[]>;
  /** Items at these places, in this order; what was deleted meanwhile is left out. */
  items(id: string, places: readonly ItemPlace[]): Promise<readonly ConversationItem[]>;
  setMetadata(id: string, metadata: Readonly<Record<string, string>>): Promise<boolean>;
  append(id: string, items: readonly ConversationItem[], untilHour: number): Promise<AppendOutcome>;
  /** @returns how many bytes the item had; null if there was none. */
  deleteItem(id: string, itemId: string): Promise<number | null>;
  /** @returns false if it was gone. */
  delete(id: string): Promise<boolean>;
  /** Takes the next place for the turn of a generation. Repeated for the same generation, it changes nothing. */
  reserve(id: string, generationId: string): Promise<ReserveOutcome>;
  /** Puts the items of a reserved turn into its place, once. @returns false if they were there, or it is gone. */
  settle(id: string, turn: SettledTurn): Promise<boolean>;
  /** Gives up a reserved turn: it left nothing. */
  abandon(id: string, generationId: string): Promise<void>;
}

export interface SettledTurn {
  readonly generationId: string;
  readonly items: readonly ConversationItem[];
  readonly untilHour: number;
}

export interface ItemPlace {
  readonly id: string;
  /** Sorts as text in the order of the conversation. */
  readonly place: string;
}
