/** The connections to one provider's batches, and the errors that come over them. */
import { UnbrokenError } from '../../contracts/errors.ts';
import { toUnbrokenError } from '../vendor-errors/http-error.ts';
import { toPresentableError } from '../vendor-errors/presentable-error.ts';
import { parseVendorError } from '../vendor-errors/vendor-error.ts';
import { type AnswerHead, createLink, type Link } from './http-link.ts';
import { NO_KEY, type ProviderSettings } from './provider-settings.ts';

export interface BatchSettings
  extends Pick<ProviderSettings, 'name' | 'baseUrl' | 'secrets' | 'connectMs' | 'proxy'> {
  /** Those of the config, the first one for new batches. */
  readonly keys: readonly { readonly id: string; readonly secret: string | undefined }[];
}

type MapError = (error: unknown, head: AnswerHead | null) => UnbrokenError;

/** The connections of one provider, by the key that a batch was created with. */
export class BatchLinks {
  readonly #settings: BatchSettings;
  readonly #mapError: MapError;

  constructor(settings: BatchSettings, mapError: MapError) {
    this.#settings = settings;
    this.#mapError = mapError;
  }

  get newestKeyId(): string {
    return this.#settings.keys[0]?.id ?? '';
  }

  /** @throws UnbrokenError, or the reason of the signal. */
  async use<Result>(
    keyId: string,
    signal: AbortSignal,
    call: (link: Link) => Promise<Result>,
  ): Promise<Result> {
    const link = this.#open(keyId, signal);
    try {
      return await call(link);
    } catch (error) {
      throw this.#toThrow(error, link);
    }
  }

  /** The same for what is read piece by piece. */
  async *read<Piece>(
    keyId: string,
    signal: AbortSignal,
    read: (link: Link) => AsyncIterable<Piece>,
  ): AsyncGenerator<Piece> {
    const link = this.#open(keyId, signal);
    try {
      yield* read(link);
    } catch (error) {
      throw this.#toThrow(error, link);
    }
  }

  /** The error of one line, without keys. */
  lineError(status: number | undefined, body: unknown): UnbrokenError {
    const { message, kind } = parseVendorError(JSON.stringify(body ?? null));
    const error = toUnbrokenError({
      status,
      kind,
      message: message === '' ? 'The provider failed this line of its batch without a reason.' : message,
      headers: undefined,
      isStreaming: true,
    });
    return toPresentableError(error, this.#settings.secrets);
  }

  #open(keyId: string, signal: AbortSignal): Link {
    const { keys, name, connectMs, proxy } = this.#settings;
    const key = keys.find(({ id }) => id === keyId);
    if (key === undefined) {
      const message = `The key ${keyId} of ${name}, with which the batch was created, is not configured any more.`;
      throw new UnbrokenError('provider_auth', message);
    }
    return createLink({ apiKey: undefined }, { apiKey: key.secret ?? NO_KEY, connectMs, proxy }, signal);
  }

  #toThrow(error: unknown, link: Link): unknown {
    if (link.signal.aborted) return link.signal.reason;
    return toPresentableError(this.#mapError(error, link.head()), this.#settings.secrets);
  }
}
