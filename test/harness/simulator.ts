/** The simulated provider's control side: what it generated, what it would say, which fault comes next. */
import type { z } from 'zod';
import type { GenerationRequest, Message } from '../../contracts/generation.ts';
import { parseJson } from '../../contracts/json.ts';
import type { batchPlanSchema } from '../../tools/simulator/batches/batch-plans.ts';
import type { faultSchema, WireName } from '../../tools/simulator/faults.ts';
import type { rateLimitSchema } from '../../tools/simulator/rate-limits.ts';

export interface SimulatedCall {
  /** As the wire names it, such as the id of a response. */
  readonly id: string;
  readonly wire: WireName;
  /** The batch whose line it is; null for a call by itself. */
  readonly batchId: string | null;
  /** The key that the call was made with. */
  readonly apiKey: string;
  readonly inputTokens: number;
  /** Tokens that it generated for this call, whether or not anybody read them. */
  readonly outputTokensGenerated: number;
  readonly state: string;
}

/** A request as the vendor received it. */
interface ReceivedRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What the simulated model was asked, and what it has answered so far. */
export interface AskedCall {
  readonly id: string;
  readonly wire: WireName;
  readonly state: string;
  /** The messages, as JSON. */
  readonly prompt: string;
  readonly text: string;
  /** Of its tool calls, joined. */
  readonly arguments: string;
}

/** A whole answer. */
export interface SimulatedTruth {
  readonly text: string;
  readonly reasoning: string;
  readonly toolCalls: readonly { readonly name: string; readonly arguments: string }[];
  readonly tokens: number;
}

/** A batch at a vendor. */
interface SimulatedBatch {
  readonly id: string;
  readonly apiKey: string;
  readonly lines: number;
  /** Lines that the vendor charges for. */
  readonly billed: number;
  readonly hasEnded: boolean;
}

export interface Simulator {
  readonly url: string;
  calls(): Promise<SimulatedCall[]>;
  /** The requests whose path or body contains this text, oldest first. */
  received(text: string): Promise<ReceivedRequest[]>;
  /** The calls whose messages contain this text, oldest first. */
  asked(text: string): Promise<readonly AskedCall[]>;
  /** Forgets the calls so far. */
  forget(): Promise<void>;
  /** The whole text that it answers with; the same for the same conversation. */
  text(input: string | readonly Message[], system?: string): Promise<{ text: string; tokens: number }>;
  /** All that it answers a request with. */
  truth(
    request: Pick<GenerationRequest, 'tools' | 'output'> & { messages: readonly Message[] },
  ): Promise<SimulatedTruth>;
  fault(fault: z.input<typeof faultSchema>): Promise<void>;
  /** Lets the answers continue that are held (`holdAt` of a prompt). */
  release(): Promise<void>;
  clearFaults(): Promise<void>;
  /** Does not check the calls that contain this text by the vendor's rules. */
  lenient(match: string): Promise<void>;
  /** Checks every call again. */
  beStrict(): Promise<void>;
  /** Requests that each API key has made, and of these those that were refused. */
  keys(): Promise<Record<string, { requests: number; refused: number; outputTokensGenerated: number }>>;
  /** Limits the requests of a key, as vendors do. */
  limit(limit: z.input<typeof rateLimitSchema>): Promise<void>;
  clearLimits(): Promise<void>;
  /** The batches at the vendors, of one vendor in the order in which they were created. */
  batches(): Promise<readonly SimulatedBatch[]>;
  /** How the next batch goes. */
  planBatch(plan: z.input<typeof batchPlanSchema>): Promise<void>;
  clearBatchPlans(): Promise<void>;
  /** Lets a batch continue that was held. */
  releaseBatch(id: string): Promise<void>;
  expireBatch(id: string): Promise<void>;
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
    received: async (text) => {
      const requests = (await ask('POST', 'received', { text })) as { body: string }[];
      return requests.map((request) => ({ ...request, body: parseJson(request.body) })) as ReceivedRequest[];
    },
    asked: async (text) => (await ask('POST', 'asked', { text })) as readonly AskedCall[],
    forget: async () => {
      await ask('DELETE', 'calls');
    },
    text: async (input, system) => {
      const messages = typeof input === 'string' ? [{ role: 'user', content: input }] : input;
      return (await ask('POST', 'text', { messages, system })) as { text: string; tokens: number };
    },
    truth: async ({ messages, tools, output }) =>
      (await ask('POST', 'text', { messages, tools, output })) as SimulatedTruth,
    fault: async (fault) => {
      await ask('POST', 'faults', fault);
    },
    release: async () => {
      await ask('POST', 'release');
    },
    clearFaults: async () => {
      await ask('DELETE', 'faults');
    },
    lenient: async (match) => {
      await ask('POST', 'lenient', { match });
    },
    beStrict: async () => {
      await ask('DELETE', 'lenient');
    },
    keys: async () => (await ask('GET', 'keys')) as Awaited<ReturnType<Simulator['keys']>>,
    limit: async (limit) => {
      await ask('POST', 'limits', limit);
    },
    clearLimits: async () => {
      await ask('DELETE', 'limits');
    },
    batches: async () => (await ask('GET', 'batches')) as readonly SimulatedBatch[],
    planBatch: async (plan) => {
      await ask('POST', 'batch-plans', plan);
    },
    clearBatchPlans: async () => {
      await ask('DELETE', 'batch-plans');
    },
    releaseBatch: async (id) => {
      await ask('POST', 'batches/release', { id });
    },
    expireBatch: async (id) => {
      await ask('POST', 'batches/expire', { id });
    },
  };
}
