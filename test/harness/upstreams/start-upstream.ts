/** A provider that we did not write: `@copilotkit/aimock`, which speaks every format on one port. */
import {
  type ChatCompletionRequest,
  type FixtureOpts,
  type FixtureResponse,
  LLMock,
} from '@copilotkit/aimock';
import type { WireFamily } from '../../../platform/config/schema.ts';

export const UPSTREAM_WIRES = [
  'openai-chat',
  'openai-responses',
  'anthropic-messages',
  'google',
  'cohere',
] as const satisfies readonly WireFamily[];
export type UpstreamWire = (typeof UPSTREAM_WIRES)[number];

/** What it does with its first, second, ... call; the last also with every later one. */
export type Script = readonly {
  readonly response: FixtureResponse;
  readonly options?: FixtureOpts;
}[];

export interface Upstream {
  /** As the config has it. */
  readonly provider: object;
  calls(): number;
  /** The messages of its newest call, in the format of chat completions. */
  lastMessages(): ChatCompletionRequest['messages'];
  stop(): Promise<void>;
}

export const UPSTREAM_KEY_ENV = 'UPSTREAM_KEY';

export async function startUpstream(wire: UpstreamWire, script: Script): Promise<Upstream> {
  const mock = new LLMock({ port: 0, logLevel: 'silent' });
  for (const [index, { response, options }] of script.entries()) {
    const isLast = index === script.length - 1;
    const predicate = () => {
      const before = mock.getRequests().length;
      return isLast ? before >= index : before === index;
    };
    mock.on({ predicate }, () => response, options);
  }
  await mock.start();
  return {
    provider: { wire, baseUrl: mock.url + BASE_PATHS[wire], apiKeyEnv: UPSTREAM_KEY_ENV, ...MORE[wire] },
    calls: () => mock.getRequests().length,
    lastMessages: () => {
      const body = mock.getLastRequest()?.body as ChatCompletionRequest | null | undefined;
      return body?.messages ?? [];
    },
    stop: () => mock.stop(),
  };
}

const BASE_PATHS: Readonly<Record<UpstreamWire, string>> = {
  'openai-chat': '/v1',
  'openai-responses': '/v1',
  'anthropic-messages': '',
  google: '',
  cohere: '',
};

/** It stores no responses, and has only the beta version of Google's API. */
const MORE: Partial<Record<UpstreamWire, object>> = {
  'openai-responses': { capabilities: { reattach: false } },
  google: { apiVersion: 'v1beta' },
};
