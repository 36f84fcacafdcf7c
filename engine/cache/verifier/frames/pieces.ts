/** The parts of frame patterns. Patterns see lower-case words with one space between them; `¶` ends a sentence. */

export type Rule = readonly [pattern: string, replacement: string];

export const WHO = '(?:i|you|we|one|someone|somebody|anyone|people|they)';
export const MODAL = '(?:do|does|did|can|could|should|would|may|might|must|shall|will)';
export const BE = '(?:is|are|was|were)';
export const ADJ =
  '(?:(?:best|right|correct|good|better|proper|recommended|easiest|simplest|easy|simple|standard|usual|common|idiomatic|possible|different|main) )*';
export const A = '(?:(?:the|a|an|some|any|my|your|all|all the) )?';
export const START = '(?<=^|[¶,:] )';
export const END = '(?= [¶,:]|$)';
export const WAY = '(?:ways?|methods?|procedures?|process|steps?|instructions|technique|techniques|approach)';
export const UNIT = '(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?)';
export const COMMAND =
  '(?:tell|show|give|explain|write|draft|compose|create|make|list|help|translate|summarize|summarise|convert|suggest|' +
  'propose|recommend|describe|define|rewrite|generate|find|provide|share|name|send|plan|calculate|compute|solve|state|' +
  'put|turn|change|check|design|outline|prepare)';
