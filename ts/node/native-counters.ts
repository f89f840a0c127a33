import { loadNative, type NativeStats } from '../../bindings/index.ts';
import { badArgument } from '../errors/index.ts';

/**
 * Counters of the native core of a node in this process. Any thread can read them: a worker also while the event loop of the node is
 * blocked. O(peers).
 *
 * @param id `node.stats().native.id`, a number that can be posted to a worker.
 * @returns undefined when that node was stopped. `batches`, `spinHits` and `spinMisses` are those of the calling thread.
 * @throws SNOW_ERR_BAD_ARGUMENT, SNOW_ERR_NATIVE_MISSING, SNOW_ERR_NATIVE_ABI.
 * @example
 * // in a worker thread
 * const { loopAgeMs = 0 } = nativeCounters(workerData.id) ?? {};
 * if (loopAgeMs > 5000) console.error(`the event loop has been blocked for ${loopAgeMs} ms`);
 */
export function nativeCounters(id: number): NativeStats | undefined {
  if (!Number.isSafeInteger(id) || id < 0 || id > MAX_ID)
    throw badArgument('nativeCounters', 'the number `node.stats().native.id`', id);
  try {
    return loadNative().stats(id);
  } catch (error) {
    if ((error as { code?: unknown }).code === 'SNOW_ERR_NO_NODE') return undefined;
    throw error;
  }
}

const MAX_ID = 2 ** 32 - 1;
