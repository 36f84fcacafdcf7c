/** What an end says besides its reason. Its texts are in the log alone, never in workflow history. */
import type { Ending } from './generation.ts';

export function endingOf({ stopSequence, refusal, vendorReason, appliedEdits }: Ending): Ending {
  return {
    ...(stopSequence === undefined ? {} : { stopSequence }),
    ...(refusal === undefined ? {} : { refusal }),
    ...(vendorReason === undefined ? {} : { vendorReason }),
    ...(appliedEdits === undefined ? {} : { appliedEdits }),
  };
}
