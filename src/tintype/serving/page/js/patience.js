// Asking again: when the service is busy, when it wants a key, when the line is down.

import { askForKey, storedKey } from "./key.js";
import { ServiceError, colorize } from "./service.js";

const TRIES = 6; // of a busy service, before the person is told
const LONGEST_PAUSE = 30; // seconds; what Retry-After says is kept up to here

/**
 * Like `colorize`, but waits where waiting helps.
 * @param {(seconds: number) => void} watch.onPause  told before each wait
 */
export async function colorizePatiently(file, options, watch = {}) {
  for (let attempt = 1; ; attempt += 1) {
    const key = storedKey();
    try {
      return await colorize(file, options, watch);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      if (error.status === 401 && (await askForKey(key))) continue;
      if (error.status !== 503 || attempt === TRIES) throw error;
      const seconds = Math.min(Math.max(Math.ceil(error.retryAfter ?? 2), 1), LONGEST_PAUSE);
      watch.onPause?.(seconds);
      await pause(seconds * 1000, watch.signal);
    }
  }
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("The person changed their mind.", "AbortError"));
    });
  });
}
