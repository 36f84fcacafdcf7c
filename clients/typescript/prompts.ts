/** The part of the client that manages named prompts. Every call may be repeated. */
import type {
  FeedbackView,
  LabelTarget,
  PromptContent,
  PromptStatsView,
  PromptVersionView,
  PromptView,
} from '../../contracts/prompts.ts';

/** The content of a new version; the API fills in the defaults of the schema. */
export type NewPromptVersion = Omit<PromptContent, 'variables'> & {
  readonly variables?: Readonly<Record<string, Partial<PromptContent['variables'][string]>>>;
};

export interface PromptsClient {
  list(): Promise<PromptView[]>;
  get(name: string): Promise<PromptView>;
  version(name: string, version: number): Promise<PromptVersionView>;
  /** Content that exists already keeps its version. */
  addVersion(name: string, content: NewPromptVersion): Promise<PromptVersionView>;
  setLabel(name: string, label: string, target: LabelTarget): Promise<PromptView>;
  removeLabel(name: string, label: string): Promise<PromptView>;
  stats(name: string, options?: { readonly baseline?: number | undefined }): Promise<PromptStatsView>;
  feedback(name: string, options?: { readonly limit?: number | undefined }): Promise<FeedbackView[]>;
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

export function createPromptsClient(
  call: <Answer>(request: {
    readonly method: Method;
    readonly path: string;
    readonly body?: unknown;
  }) => Promise<Answer>,
): PromptsClient {
  const pathOf = (name: string, ...rest: readonly (string | number)[]) =>
    ['/v1/prompts', ...[name, ...rest].map((part) => encodeURIComponent(part))].join('/');
  const queryOf = (key: string, value: number | undefined) => (value === undefined ? '' : `?${key}=${value}`);
  return {
    list: async () => (await call<{ data: PromptView[] }>({ method: 'GET', path: '/v1/prompts' })).data,
    get: (name) => call({ method: 'GET', path: pathOf(name) }),
    version: (name, version) => call({ method: 'GET', path: pathOf(name, 'versions', version) }),
    addVersion: (name, body) => call({ method: 'POST', path: pathOf(name, 'versions'), body }),
    setLabel: (name, label, body) => call({ method: 'PUT', path: pathOf(name, 'labels', label), body }),
    removeLabel: (name, label) => call({ method: 'DELETE', path: pathOf(name, 'labels', label) }),
    stats: (name, { baseline } = {}) =>
      call({ method: 'GET', path: `${pathOf(name, 'stats')}${queryOf('baseline', baseline)}` }),
    feedback: async (name, { limit } = {}) => {
      const path = `${pathOf(name, 'feedback')}${queryOf('limit', limit)}`;
      return (await call<{ data: FeedbackView[] }>({ method: 'GET', path })).data;
    },
  };
}
