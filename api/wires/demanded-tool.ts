/** A request that demands a call of a tool, and has none. Both of OpenAI's APIs refuse it. */
import type { ToolChoice } from '../../contracts/content.ts';
import { UnbrokenError } from '../../contracts/errors.ts';

/** @param choice of a request without tools. @throws invalid_request */
export function refuseDemand(choice: ToolChoice | null | undefined): void {
  if (choice === null || choice === undefined || choice === 'auto' || choice === 'none') return;
  throw new UnbrokenError('invalid_request', 'tool_choice: a tool is demanded, but there are no tools.', {
    details: { param: 'tool_choice' },
  });
}
