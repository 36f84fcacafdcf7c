/** The simulated provider's control side: what it generated, what it would say, which fault comes next. */
import type { z } from 'zod';
import type { Message } from '../../contracts/generation.ts';
import type { faultSchema } from '../../providers/simulated/faults.ts';

export interface SimulatedCall {
  readonly wire: 'openai' | 'anthropic';
  readonly inputTokens: number;
  /** Tokens that it generated for this call, whether or not anybody read them. */
  readonly outputTokensGenerated: number;
  readonly state: string;
}

export interface Simulator {
  readonly url: string;
  calls(): Promise<SimulatedCall[]>;
  /** Forgets the calls so far. */
  forget(): Promise<void>;
  /** The whole text that it answers with; the same for the same conversation. */
  text(input: string | readonly Message[], system?: string): Promise<{ text: string; tokens: number }>;
  fault(fault: z.input<typeof faultSchema>): Promise<void>;
  clearFaults(): Promise<void>;
}

export function connectSimulator(url: string): Simulator {
  const ask = async (method: string, path: string, body?: object): Promise<unknown> => {
    const response = await fetch(`${url}/_sim/${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const answer = await response.text();
    if (!response.ok) throw new Error(`simulator: ${method} /_sim/${path}: ${response.status} ${answer}`);
    return answer === '' ? undefined : JSON.parse(answer);
  };
  return {
    url,
    calls: async () => (await ask('GET', 'calls')) as SimulatedCall[],
    forget: async () => {
      await ask('DELETE', 'calls');
    },
    text: async (input, system) => {
      const messages = typeof input === 'string' ? [{ role: 'user', content: input }] : input;
      return (await ask('POST', 'text', { messages, system })) as { text: string; tokens: number };
    },
    fault: async (fault) => {
      await ask('POST', 'faults', fault);
    },
    clearFaults: async () => {
      await ask('DELETE', 'faults');
    },
  };
}
