/** A vendor's answer to a line, which an attempt at the line's generation reads in place of a call. */
import type { Provider } from '../../engine/providers/provider.ts';
import type { ProviderBatches } from '../../engine/providers/provider-batches.ts';
import type { Admission, GateKey } from '../../engine/routing/provider-gate.ts';

export function storedAnswer(vendor: ProviderBatches, body: unknown): Provider {
  return {
    name: vendor.name,
    isStored: true,
    // Read again from the beginning, it says the same.
    capabilities: () => ({ reattach: false, prefill: false, instruct: false }),
    silenceMs: () => 0,
    stream: (call) => vendor.answer(call, body),
  };
}

/** Of the account that the answer belongs to. The gate counts calls alone. */
export function admissionWith(key: GateKey): Admission {
  return {
    admitted: true,
    pass: {
      key,
      noteHead() {
        // There was no call.
      },
      noteFirstToken() {
        // It says nothing of the model's speed.
      },
      leave: async () => ({ circuit: null, restMs: 0 }),
    },
  };
}
