/** What usage can be divided by, and narrowed to. */
export const GROUPINGS = {
  none: 'Nothing',
  user: 'User',
  team: 'Team',
  key: 'Key',
  model: 'Model',
  prompt: 'Prompt version',
} as const;
export type Grouping = keyof typeof GROUPINGS;
export type Dimension = Exclude<Grouping, 'none'>;
