/** The search attributes of a generation, in the form of Temporal's client. */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

const keyword = (name: string) => defineSearchAttributeKey(name, SearchAttributeType.KEYWORD);

export const SEARCH_KEYS = {
  tenant: keyword('UnbrokenTenant'),
  user: keyword('UnbrokenUser'),
  provider: keyword('UnbrokenProvider'),
  model: keyword('UnbrokenModel'),
  status: keyword('UnbrokenStatus'),
  prompt: keyword('UnbrokenPromptVersion'),
};
