/** The object store as requests use it: that it cannot be reached is a passing outage, and named as such. */
import { UnbrokenError } from '../../contracts/errors.ts';
import { type ObjectStore, ObjectTooLarge } from '../../platform/object-store/object-store.ts';
import { withMethods } from '../../platform/with-methods.ts';

/** Of uploads, downloads and deletions. @throws service_unavailable */
export function answeringStore(store: ObjectStore): ObjectStore {
  return withMethods<ObjectStore>(store, {
    upload: async (key, body, options = {}) => {
      const fault: { error?: unknown } = {};
      try {
        return await store.upload(key, noting(body, fault), options);
      } catch (error) {
        // A body that is too large, or was not sent whole, is no fault of the store.
        const isOfRequest = 'error' in fault || error instanceof ObjectTooLarge || options.signal?.aborted;
        throw isOfRequest ? error : noStore(error);
      }
    },
    download: (key, range) => store.download(key, range).catch(throwNoStore),
    delete: (keys) => store.delete(keys).catch(throwNoStore),
  });
}

async function* noting(body: AsyncIterable<Uint8Array>, fault: { error?: unknown }) {
  try {
    yield* body;
  } catch (error) {
    fault.error = error;
    throw error;
  }
}

function throwNoStore(error: unknown): never {
  throw noStore(error);
}

function noStore(cause: unknown): UnbrokenError {
  const message = 'The object store cannot be used now; send the request again.';
  return new UnbrokenError('service_unavailable', message, { cause });
}
